"""The spans of a request's handling, and of its way to a database.

Names and attributes are those of OpenTelemetry's conventions for MCP and for database
clients: words of this server and of its configuration alone. Of a failure they hold its
kind and the database's code for it.
"""

from collections.abc import Mapping
from urllib.parse import urlsplit

from mcphub_server.backends.base import Backend
from mcphub_server.errors import QueryFailed
from mcphub_server.spans import (
    NO_SPAN,
    Attributes,
    Kind,
    Span,
    find_parent,
)

SYSTEMS: Mapping[str, str] = {"postgres": "postgresql"}
"""Kinds of backends that OpenTelemetry calls by another name."""


def open_call_span(method: str, tool: str, carrier: object = None) -> Span:
    """Begin the span of one MCP request.

    Args:
        method: A method that this server knows.
        tool: The tool that is called, if one is.
        carrier: The request's `_meta`, which may hold a `traceparent`.
    """
    parent = find_parent()
    if parent is None:
        return NO_SPAN
    attributes = {"mcp.method.name": method}
    if tool:
        attributes |= {
            "gen_ai.operation.name": "execute_tool",
            "gen_ai.tool.name": tool,
        }
    meta = carrier if isinstance(carrier, Mapping) else None
    return parent.open(Kind.SERVER, f"{method} {tool}".rstrip(), attributes, meta)


def describe_backend(backend: Backend) -> tuple[str, Attributes]:
    """Return the name and the attributes of the spans of calls to a backend."""
    address = urlsplit(
        backend.endpoint if "://" in backend.endpoint else f"//{backend.endpoint}"
    )
    attributes: dict[str, str | int] = {
        "db.system.name": SYSTEMS.get(backend.kind, backend.kind),
        "mcphub.backend.name": backend.name,
    }
    namespace = getattr(getattr(backend, "config", None), "database", "")
    if namespace:
        attributes["db.namespace"] = namespace
    hosts = address.netloc.split(",")
    if address.hostname and len(hosts) == 1:
        attributes["server.address"] = address.hostname
        if address.port:
            attributes["server.port"] = address.port
    return f"{attributes['db.system.name']} {namespace}".rstrip(), attributes


def note_failure(span: Span, error: BaseException) -> None:
    """Mark the span of a call to a backend as failed; no word of the error's text."""
    if isinstance(error, QueryFailed) and error.code:
        span.set("db.response.status_code", error.code)
    span.fail(type(error).__name__)
