"""Spans of the request that is being served, for layers that know of no exporter.

`tracing` enters a request here if traces are on. Without it a layer's span is one
shared object that does nothing: traces that are off cost a look at one variable. What a
span carries are words of this server and of its configuration, never what a client sent
or a database returned.
"""

from collections.abc import Mapping
from contextvars import ContextVar, Token
from enum import Enum
from types import TracebackType
from typing import Protocol, Self

from mcphub_server.web.asgi import Headers

Attributes = Mapping[str, str | int]
NOTHING: Attributes = {}


class Kind(Enum):
    """What a span says about its ends; OpenTelemetry's words."""

    INTERNAL = "internal"
    SERVER = "server"
    CLIENT = "client"


class Span(Protocol):
    """Something that takes time. Entered, it is the parent of what begins inside."""

    def set(self, name: str, value: str | int) -> None:
        """Add an attribute."""

    def fail(self, error_type: str) -> None:
        """Mark it as failed, by the kind of the error."""

    def __enter__(self) -> Self: ...

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None: ...


class Parent(Protocol):
    """What spans hang on: a request, a connection, or a span."""

    @property
    def trace_id(self) -> str:
        """The trace's id in hexadecimal digits; empty if it is not recorded."""

    def open(
        self,
        kind: Kind,
        name: str,
        attributes: Attributes,
        carrier: Mapping[str, object] | None,
    ) -> Span:
        """Begin a span; `carrier` holds a client's `traceparent`, if it sent one."""

    def inject(self, headers: Headers) -> Headers:
        """Return the headers by which another replica continues the trace."""


class _NoSpan:
    """The span of a request without a trace."""

    __slots__ = ()

    def set(self, name: str, value: str | int) -> None:
        pass

    def fail(self, error_type: str) -> None:
        pass

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        pass


NO_SPAN: Span = _NoSpan()

_current: ContextVar[Parent | None] = ContextVar("mcphub_span", default=None)


def enter(parent: Parent) -> Token[Parent | None]:
    """Let what begins from now on hang on this; `leave` ends that."""
    return _current.set(parent)


def leave(token: Token[Parent | None]) -> None:
    """Return to what was current before `enter`."""
    _current.reset(token)


def find_parent() -> Parent | None:
    """Return what spans hang on now; None where nothing is traced."""
    return _current.get()


def open_span(
    kind: Kind,
    name: str,
    attributes: Attributes = NOTHING,
    carrier: Mapping[str, object] | None = None,
) -> Span:
    """Begin a span below the current one."""
    parent = _current.get()
    if parent is None:
        return NO_SPAN
    return parent.open(kind, name, attributes, carrier)


def find_trace_id() -> str:
    """Return the id of the trace that is recorded; empty without one."""
    parent = _current.get()
    return "" if parent is None else parent.trace_id


def inject(headers: Headers) -> Headers:
    """Return the headers of a request to another replica, with the current trace."""
    parent = _current.get()
    return headers if parent is None else parent.inject(headers)
