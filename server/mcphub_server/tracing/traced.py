"""Spans of OpenTelemetry behind the seam of `spans`.

Only words of this server become names and attributes. Of a failure the kind is kept:
OpenTelemetry's own handling would record the exception with its text.
"""

from collections.abc import Mapping
from contextvars import Token
from types import TracebackType
from typing import Self

from opentelemetry.context import Context
from opentelemetry.trace import Span as OtelSpan
from opentelemetry.trace import (
    SpanKind,
    Status,
    StatusCode,
    Tracer,
    format_trace_id,
    set_span_in_context,
)
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from mcphub_server.spans import NO_SPAN, Attributes, Kind, Parent, Span, enter, leave
from mcphub_server.web.asgi import Headers, replace_header

KINDS = {
    Kind.INTERNAL: SpanKind.INTERNAL,
    Kind.SERVER: SpanKind.SERVER,
    Kind.CLIENT: SpanKind.CLIENT,
}
TRACEPARENT = "traceparent"
PROPAGATOR = TraceContextTextMapPropagator()
ROOT = Context()


class TracedSpan:
    """A span, and what hangs on it."""

    __slots__ = ("_failed", "_otel", "_token", "_tracer")

    def __init__(self, tracer: Tracer, otel: OtelSpan) -> None:
        self._tracer = tracer
        self._otel = otel
        self._failed = False
        self._token: Token[Parent | None] | None = None

    @property
    def trace_id(self) -> str:
        """The trace's id; empty if the trace is not recorded."""
        if not self._otel.is_recording():
            return ""
        return format_trace_id(self._otel.get_span_context().trace_id)

    def open(
        self,
        kind: Kind,
        name: str,
        attributes: Attributes,
        _carrier: Mapping[str, object] | None,
    ) -> Span:
        """Begin a span below this one."""
        if not self._otel.get_span_context().trace_flags.sampled:
            return NO_SPAN
        context = set_span_in_context(self._otel, ROOT)
        return begin(self._tracer, kind, name, attributes, context)

    def inject(self, headers: Headers) -> Headers:
        """Return the headers with this span as the parent of what they lead to."""
        carrier: dict[str, str] = {}
        PROPAGATOR.inject(carrier, set_span_in_context(self._otel, ROOT))
        return replace_header(
            headers, TRACEPARENT.encode(), carrier.get(TRACEPARENT, "")
        )

    def set(self, name: str, value: str | int) -> None:
        """Add an attribute."""
        self._otel.set_attribute(name, value)

    def fail(self, error_type: str) -> None:
        """Mark it as failed; the first kind of error stays."""
        if not self._failed:
            self._failed = True
            self._otel.set_attribute("error.type", error_type)
            self._otel.set_status(Status(StatusCode.ERROR))

    def end(self) -> None:
        """End it outside a block."""
        self._otel.end()

    def __enter__(self) -> Self:
        self._token = enter(self)
        return self

    def __exit__(
        self,
        _kind: type[BaseException] | None,
        error: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        if self._token is not None:
            leave(self._token)
        if error is not None:
            self.fail(type(error).__name__)
        self.end()


class Connection:
    """A WebSocket or a stream of `/sse`: each message on it has a trace of its own.

    A span of the connection would end with it, hours later.
    """

    trace_id = ""

    def __init__(self, tracer: Tracer) -> None:
        self._tracer = tracer

    def open(
        self,
        kind: Kind,
        name: str,
        attributes: Attributes,
        carrier: Mapping[str, object] | None,
    ) -> Span:
        """Begin a trace, or continue the client's."""
        context = find_context(carrier or {}) or ROOT
        return begin(self._tracer, kind, name, attributes, context)

    def inject(self, headers: Headers) -> Headers:
        """Return the headers as they are: the owner of a stream serves it itself."""
        return headers


def begin(
    tracer: Tracer,
    kind: Kind,
    name: str,
    attributes: Attributes,
    context: Context,
    start_ns: int | None = None,
) -> TracedSpan:
    """Begin a span."""
    otel = tracer.start_span(
        name,
        context,
        KINDS[kind],
        attributes,
        start_time=start_ns,
        record_exception=False,
        set_status_on_exception=False,
    )
    return TracedSpan(tracer, otel)


def find_context(carrier: Mapping[str, object]) -> Context | None:
    """Return what a client's `traceparent` says; None without a valid one.

    Its `tracestate` is left out: it holds what the client likes.
    """
    value = carrier.get(TRACEPARENT)
    if not isinstance(value, str):
        return None
    context = PROPAGATOR.extract({TRACEPARENT: value}, ROOT)
    return None if context == ROOT else context
