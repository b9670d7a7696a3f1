"""Whether a request to `/mcp` is answered by one JSON body or by a stream.

A JSON body carries the result and nothing else: notifications and requests that a tool
sends before its result are lost. The hub's own tools send none, and for them a body
costs a third less CPU than a stream; every other tool gets a stream.

The SDK decides once for a whole server: `json_response` of the session manager, handed
to each transport as `is_json_response_enabled`. Both are attributes that the SDK reads
again for each request, so properties that depend on the request replace them.
`test_sdk_hooks` names the SDK's version for which this is known to hold. The hook that
would make it needless: `StreamableHTTPSessionManager(transport_class=...)`, and
`json_response` as a function of the request.
"""

from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from contextvars import ContextVar
from typing import Any

from fastmcp.server.http import FastMCPStreamableHTTPSessionManager
from mcp.server import _streamable_http_modern, streamable_http_manager
from mcp.server.streamable_http import StreamableHTTPServerTransport
from mcp_types import JSONRPCMessage
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from mcphub_server.transports.encoding import encode_response
from mcphub_server.transports.server_messages import HoldingStream, RequestStreams
from mcphub_server.web.jsonrpc import Message
from mcphub_server.web.request import get_request

JSON = "application/json"

_write_modern = _streamable_http_modern._write  # noqa: SLF001 -- see `install_transport`

_json: ContextVar[bool | None] = ContextVar("mcphub_json_response", default=None)
"""What the current request gets; None outside the requests of a hub."""


def answers_with_json(
    message: Message, returns_result_only: Callable[[str], bool]
) -> bool:
    """Return whether a request is answered by its result and nothing before it.

    Args:
        message: The request; the SDK refuses one that is no message with a body.
        returns_result_only: Whether a tool sends nothing before its result.
    """
    return message.tool is None or returns_result_only(message.tool)


class PerRequestSessionManager(FastMCPStreamableHTTPSessionManager):
    """The SDK's session manager, choosing the form of each response by its request."""

    def __init__(
        self, returns_result_only: Callable[[str], bool], **options: Any
    ) -> None:
        super().__init__(**options)
        self._returns_result_only = returns_result_only
        # below the SDK's own limit of sizes, which gets a body that was read already
        self.asgi_app.app = self._choose_for(self.asgi_app.app)

    def count_sessions(self) -> int:
        """Return how many sessions are held."""
        return len(self._server_instances)

    @property
    def json_response(self) -> bool:
        """What the SDK takes for a setting of the server; it sets it once."""
        return bool(_json.get())

    @json_response.setter
    def json_response(self, _value: bool) -> None: ...

    def _choose_for(
        self, handle: Callable[[Scope, Receive, Send], Awaitable[None]]
    ) -> Callable[[Scope, Receive, Send], Awaitable[None]]:
        async def choose(scope: Scope, receive: Receive, send: Send) -> None:
            request = get_request(scope)
            _json.set(False)
            if request.method == "POST":
                _json.set(answers_with_json(request.message, self._returns_result_only))
            await handle(scope, receive, send)

        return choose


class PerRequestTransport(StreamableHTTPServerTransport):
    """The transport of one session, which outlives the request that opened it."""

    _configured = False

    @property
    def is_json_response_enabled(self) -> bool:
        """What the SDK takes for a setting of the session."""
        chosen = _json.get()
        return self._configured if chosen is None else chosen

    @is_json_response_enabled.setter
    def is_json_response_enabled(self, value: bool) -> None:
        self._configured = value

    def _create_json_response(
        self, response_message: JSONRPCMessage | None, *args: Any, **options: Any
    ) -> Response:
        """Make the response; a result that is JSON already stays as it is."""
        encoded = encode_response(response_message)
        if encoded is None:
            return super()._create_json_response(response_message, *args, **options)
        response = super()._create_json_response(None, *args, **options)
        response.body = encoded
        response.headers["content-length"] = str(len(encoded))
        return response

    @asynccontextmanager
    async def connect(self) -> AsyncGenerator[Any, None]:
        """Run the session; no request's choice applies to what it sends by itself."""
        if self.mcp_session_id is None:  # stateless: the transport serves one request
            async with super().connect() as streams:
                yield streams
            return
        _json.set(False)
        self._request_streams = table = RequestStreams()
        async with super().connect() as (incoming, outgoing):
            yield incoming, HoldingStream(outgoing, table)


async def write_modern(
    message: Any, scope: Scope, receive: Receive, send: Send
) -> None:
    """Answer a request of revision 2026-07-28, in place of the SDK's function."""
    encoded = encode_response(message)
    if encoded is None:
        await _write_modern(message, scope, receive, send)
    else:
        await Response(encoded, media_type=JSON)(scope, receive, send)


def install_transport() -> None:
    """Let the SDK use `PerRequestTransport` for sessions and `write_modern`.

    Where no request of a hub has chosen, they behave as the SDK's own.
    """
    manager: Any = streamable_http_manager
    manager.StreamableHTTPServerTransport = PerRequestTransport
    modern: Any = _streamable_http_modern
    modern._write = write_modern  # noqa: SLF001 -- it has no hook for this
