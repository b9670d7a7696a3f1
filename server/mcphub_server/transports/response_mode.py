"""Which requests to `/mcp` are answered by one JSON body, and which by a stream.

A JSON body carries the answer and nothing else: notifications and questions that a
tool sends before it answers are lost. The hub's own tools send none, and for them a
body costs a third less CPU than a stream; whatever else is mounted gets a stream. The
SDK decides once for a whole server, so its two classes are made to look at the
request instead.
"""

from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from contextvars import ContextVar
from typing import Any

import msgspec
from fastmcp.server.http import FastMCPStreamableHTTPSessionManager
from mcp.server.streamable_http import StreamableHTTPServerTransport
from starlette.types import Receive, Scope, Send

from mcphub_server.transports.server_messages import HoldingStream, RequestStreams
from mcphub_server.web.asgi import read_body, rewind
from mcphub_server.web.jsonrpc import peek

_whole: ContextVar[bool] = ContextVar("mcphub_whole_reply", default=False)


class _Params(msgspec.Struct):
    name: str = ""


class _Message(msgspec.Struct):
    method: str = ""
    params: _Params | None = None


_decoder = msgspec.json.Decoder(_Message)


def answers_whole(body: bytes, returns_result_only: Callable[[str], bool]) -> bool:
    """Tell whether a request is answered by its result and nothing before it.

    Args:
        body: The request's JSON-RPC message; one that is none is refused whole.
        returns_result_only: Tells whether a tool sends nothing before its result.
    """
    message = peek(_decoder, body)
    if message is None or message.method != "tools/call" or message.params is None:
        return True
    return returns_result_only(message.params.name)


class ReplyManager(FastMCPStreamableHTTPSessionManager):
    """The SDK's session manager, choosing the form of each reply by its request."""

    def __init__(
        self, returns_result_only: Callable[[str], bool], **options: Any
    ) -> None:
        super().__init__(**options)
        self._returns_result_only = returns_result_only

    def count_sessions(self) -> int:
        """Return how many sessions are held."""
        return len(self._server_instances)

    @property
    def json_response(self) -> bool:
        """What the SDK takes for a setting of the server; it sets it once."""
        return _whole.get()

    @json_response.setter
    def json_response(self, _value: bool) -> None: ...

    async def _handle_request(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Choose, once the SDK has checked the body's size."""
        if scope["method"] == "POST":
            body = await read_body(receive)
            if body is None:
                return
            _whole.set(answers_whole(body, self._returns_result_only))
            receive = rewind(body, receive)
        await super()._handle_request(scope, receive, send)

    def _admit_session(self, requestor: Any) -> StreamableHTTPServerTransport | None:
        """Give a new session a transport that chooses, too."""
        transport = super()._admit_session(requestor)
        if transport is not None:
            # the SDK names the class of its transports in the middle of this method
            transport.__class__ = ReplyTransport
        return transport


class ReplyTransport(StreamableHTTPServerTransport):
    """The transport of one session, which outlives the request that opened it."""

    @property
    def is_json_response_enabled(self) -> bool:
        """What the SDK takes for a setting of the session."""
        return _whole.get()

    @is_json_response_enabled.setter
    def is_json_response_enabled(self, _value: bool) -> None: ...

    @asynccontextmanager
    async def connect(self) -> AsyncGenerator[Any, None]:
        """Run the session; what it sends is routed by no request's choice."""
        _whole.set(False)
        self._request_streams = streams = RequestStreams()
        async with super().connect() as (incoming, outgoing):
            yield incoming, HoldingStream(outgoing, streams)
