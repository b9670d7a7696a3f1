"""Ends a response whose making fails with a JSON-RPC error, instead of cutting it.

A client whose stream is cut without an answer waits for its timeout, or tries the same
call again and again. So the last resort below every other layer answers each request
that is still pending, by its id: as an event where a stream has begun, as a body where
nothing has been sent. Only a body that was sent in part can end in no other way than
with its connection.
"""

from http import HTTPStatus

import msgspec
import structlog
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from mcphub_server.traffic.streams import STREAM, Stream
from mcphub_server.web.asgi import is_event_stream, send_error, send_response
from mcphub_server.web.bodies import ClientLeft, RequestRefused
from mcphub_server.web.jsonrpc import RequestKey, build_error
from mcphub_server.web.paths import Endpoint
from mcphub_server.web.request import MCPRequest, get_request
from mcphub_server.web.sse import build_error_event

FAILED = (
    "The server failed while it made this answer; this is not your fault, and calling "
    "again may help."
)

JSON_HEADERS = [(b"content-type", b"application/json")]

log = structlog.get_logger(__name__)


class LateErrors:
    """Answers the requests of an application that raises."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        response = ResponseInProgress(send)
        try:
            await self._app(scope, receive, response.send)
        except (RequestRefused, ClientLeft):
            raise  # answered where bodies are bounded
        except Exception:  # the edge of what makes answers
            if not response.can_be_completed:
                raise
            log.exception("answer failed unexpectedly")
            await response.fail(get_request(scope), scope.get(STREAM))


class ResponseInProgress:
    """How much of a response was sent."""

    def __init__(self, send: Send) -> None:
        self._send = send
        self._start: Message = {}
        self._is_over = False

    async def send(self, message: Message) -> None:
        """Pass on a message; what raises here has no client any more."""
        was_over, self._is_over = self._is_over, True
        await self._send(message)
        if message["type"] == "http.response.start":
            self._start = message
        self._is_over = was_over or (
            message["type"] == "http.response.body"
            and not message.get("more_body", False)
        )

    @property
    def can_be_completed(self) -> bool:
        """Whether a client still waits for something that can be sent."""
        return not self._is_over and (not self._start or is_event_stream(self._start))

    async def fail(self, request: MCPRequest, stream: Stream | None) -> None:
        """Answer what is pending with an error, and end the response."""
        if not self._start:
            await self._send_error(request)
            return
        if stream is not None:
            stream.finished = True
            pending = [*stream.pending]
        else:
            pending = list_ids(request)
        body = b"".join(build_error_event(each, FAILED) for each in pending)
        last = {"type": "http.response.body", "body": body, "more_body": False}
        await self._send(last)

    async def _send_error(self, request: MCPRequest) -> None:
        """Send the whole response: within the protocol where it answers a request.

        What is posted to `/messages/` is answered on its stream, so there the status
        has to say that no answer will come.
        """
        ids = list_ids(request)
        if request.endpoint is not Endpoint.HTTP or not ids:
            await send_error(self._send, HTTPStatus.INTERNAL_SERVER_ERROR, FAILED)
            return
        body = msgspec.json.encode(build_error(ids[0], FAILED))
        await send_response(self._send, HTTPStatus.OK, body, JSON_HEADERS)


def list_ids(request: MCPRequest) -> list[RequestKey]:
    """Return the id of a request that waits for an answer."""
    if request.method != "POST" or request.message.request_id is None:
        return []
    return [request.message.request_id]
