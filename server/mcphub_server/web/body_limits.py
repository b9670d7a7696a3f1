"""The layers that bound what requests send, and how often they can be refused."""

from collections.abc import Callable
from http import HTTPStatus

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from mcphub_server.web.asgi import send_error
from mcphub_server.web.bodies import (
    BodyBudget,
    BodyReader,
    ClientLeft,
    RequestRefused,
)
from mcphub_server.web.request import find_request
from mcphub_server.web.throttle import Throttle

REFUSING = frozenset({"http.response.start", "websocket.http.response.start"})
"""The ASGI messages that may begin a refusal."""


class BodyLimits:
    """Bounds what requests to the MCP endpoints send.

    Args:
        app: The next layer.
        budget: Of all bodies that this replica holds.
        note_full: Called at each refusal for lack of budget.
        throttle: Of the callers.
    """

    def __init__(
        self,
        app: ASGIApp,
        budget: BodyBudget,
        note_full: Callable[[], None],
        throttle: Throttle,
    ) -> None:
        self._app = app
        self._budget = budget
        self._note_full = note_full
        self._throttle = throttle

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = find_request(scope)
        if request is None:
            await self._app(scope, receive, send)
            return
        reader = BodyReader(self._budget, self._note_full, self._throttle)
        request.reader = reader
        try:
            await self._app(scope, receive, send)
        except RequestRefused as refused:
            await send_refusal(send, refused)
        except ClientLeft:
            pass  # no response reaches it
        finally:
            reader.close()


async def send_refusal(send: Send, refused: RequestRefused) -> None:
    """Answer within the protocol; a slow sender's connection is closed."""
    headers = []
    if refused.retry_seconds:
        headers.append((b"retry-after", str(refused.retry_seconds).encode()))
    if refused.status is HTTPStatus.REQUEST_TIMEOUT:
        headers.append((b"connection", b"close"))
    await send_error(send, refused.status, refused.sentence, headers)


class ThrottledRefusals:
    """Holds back the refusals of a caller who is refused again and again.

    A replica that is the wrong one says so to another replica, and a client waits.
    """

    def __init__(self, app: ASGIApp, throttle: Throttle) -> None:
        self._app = app
        self._throttle = throttle

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def send_throttled(message: Message) -> None:
            if is_refusal(message):
                await self._throttle.spend_refusal()
            await send(message)

        await self._app(scope, receive, send_throttled)


def is_refusal(message: Message) -> bool:
    """Return whether a message begins the refusal of a client's request."""
    if message["type"] not in REFUSING:
        return False
    status: int = message["status"]
    is_error = status >= HTTPStatus.BAD_REQUEST
    return is_error and status != HTTPStatus.MISDIRECTED_REQUEST
