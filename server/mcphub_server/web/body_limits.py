"""The layer that gives each request its body reader and answers what it refuses."""

from collections.abc import Callable
from http import HTTPStatus

from starlette.types import ASGIApp, Receive, Scope, Send

from mcphub_server.web.asgi import send_error
from mcphub_server.web.bodies import (
    BodyBudget,
    BodyReader,
    ClientLeft,
    RequestRefused,
)
from mcphub_server.web.request import find_request


class BodyLimits:
    """Bounds what requests to the MCP endpoints send.

    Args:
        app: The next layer.
        budget: Of all bodies that this replica holds.
        note_full: Called at each refusal for lack of budget.
    """

    def __init__(
        self, app: ASGIApp, budget: BodyBudget, note_full: Callable[[], None]
    ) -> None:
        self._app = app
        self._budget = budget
        self._note_full = note_full

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = find_request(scope)
        if request is None:
            await self._app(scope, receive, send)
            return
        request.reader = reader = BodyReader(self._budget, self._note_full)
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
