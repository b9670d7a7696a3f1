"""The layer that begins the trace of each request.

It stands behind authentication: who is refused begins no trace, and cannot fill the
queue of spans. A request's span begins with its first child, with the time of the
request, because the client's `traceparent` may be in the body's `_meta`.
"""

import time
from collections.abc import Mapping
from http import HTTPStatus

import msgspec
from mcp_types.version import HANDSHAKE_PROTOCOL_VERSIONS, MODERN_PROTOCOL_VERSIONS
from opentelemetry.context import Context
from opentelemetry.trace import Tracer
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from mcphub_server.spans import Attributes, Kind, Span, enter, leave
from mcphub_server.tracing.traced import (
    ROOT,
    TRACEPARENT,
    Connection,
    TracedSpan,
    begin,
    find_context,
)
from mcphub_server.web.asgi import Headers, find_header
from mcphub_server.web.jsonrpc import decode
from mcphub_server.web.request import MCPRequest, get_request

METHODS = frozenset({"POST", "DELETE"})
REVISIONS = {*HANDSHAKE_PROTOCOL_VERSIONS, *MODERN_PROTOCOL_VERSIONS}


class Meta(msgspec.Struct):
    """The trace in the `_meta` of a request."""

    traceparent: object = None


class Params(msgspec.Struct, rename={"meta": "_meta"}):
    """The parameters of any request."""

    meta: Meta = msgspec.field(default_factory=Meta)


PARAMS = msgspec.json.Decoder(Params)


class TraceLayer:
    """Begins a trace for each request to an MCP endpoint."""

    def __init__(self, app: ASGIApp, tracer: Tracer) -> None:
        self._app = app
        self._tracer = tracer

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        request = get_request(scope)
        if request.is_websocket or request.opens_stream:
            token = enter(Connection(self._tracer))
            try:
                await self._app(scope, receive, send)
            finally:
                leave(token)
        else:
            await self._trace(request, scope, receive, send)

    async def _trace(
        self, request: MCPRequest, scope: Scope, receive: Receive, send: Send
    ) -> None:
        traced = RequestSpan(self._tracer, request, scope["headers"])

        async def send_noted(message: Message) -> None:
            if message["type"] == "http.response.start":
                traced.note_status(message["status"])
            await send(message)

        token = enter(traced)
        try:
            await self._app(scope, receive, send_noted)
        except BaseException as error:
            traced.span.fail(type(error).__name__)
            raise
        finally:
            leave(token)
            traced.span.end()


class RequestSpan:
    """The span of a request of HTTP."""

    def __init__(self, tracer: Tracer, request: MCPRequest, headers: Headers) -> None:
        self._tracer = tracer
        self._request = request
        self._header = find_header(headers, TRACEPARENT.encode())
        self._began = time.time_ns()
        self._span: TracedSpan | None = None

    @property
    def span(self) -> TracedSpan:
        """The span; it begins when something asks for it."""
        if self._span is None:
            request = self._request
            route = request.endpoint.value
            method = request.method if request.method in METHODS else "_OTHER"
            attributes: dict[str, str | int] = {
                "http.request.method": method,
                "http.route": route,
            }
            if request.revision in REVISIONS:
                attributes["mcp.protocol.version"] = request.revision
            context = self._find_context() or ROOT
            name = f"{method} {route}"
            self._span = begin(
                self._tracer, Kind.SERVER, name, attributes, context, self._began
            )
        return self._span

    def _find_context(self) -> Context | None:
        if self._header is not None:
            return find_context({TRACEPARENT: self._header})
        if self._request.body is None:
            return None
        params = decode(PARAMS, bytes(self._request.message.params))
        return find_context({TRACEPARENT: params.meta.traceparent}) if params else None

    @property
    def trace_id(self) -> str:
        """The trace's id; empty if the trace is not recorded."""
        return self.span.trace_id

    def open(
        self,
        kind: Kind,
        name: str,
        attributes: Attributes,
        carrier: Mapping[str, object] | None,
    ) -> Span:
        """Begin a span below the request's."""
        return self.span.open(kind, name, attributes, carrier)

    def inject(self, headers: Headers) -> Headers:
        """Return the headers with the request's span as parent."""
        return self.span.inject(headers)

    def note_status(self, status: int) -> None:
        """Note how the request is answered."""
        self.span.set("http.response.status_code", status)
        if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            self.span.fail(str(status))
