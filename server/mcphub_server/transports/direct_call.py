"""Which requests to `/mcp` need nothing of the SDK but an answer.

A call of an own tool, outside a session, in the form that the big clients send. Every
other request, and every request with a mistake, goes to the SDK, which words refusals
and knows the rest of the protocol. So this accepts less than the SDK and refuses
nothing; `tests/unit/server/transports/test_direct_calls.py` compares the answers. Pure.
"""

from collections.abc import Iterable
from typing import Any, Literal

import msgspec
from mcp_types import CLIENT_CAPABILITIES_META_KEY, PROTOCOL_VERSION_META_KEY
from mcp_types.version import HANDSHAKE_PROTOCOL_VERSIONS, MODERN_PROTOCOL_VERSIONS

from mcphub_server.web.headers import (
    ACCEPT_HEADER,
    METHOD_HEADER,
    NAME_HEADER,
    REVISION_HEADER,
)
from mcphub_server.web.jsonrpc import CALL_METHOD, UNREADABLE

JSON = b"application/json"
CONTENT_TYPES = frozenset(
    {JSON, b"application/json; charset=utf-8", b"application/json;charset=utf-8"}
)
CONTENT_TYPE_HEADER = b"content-type"
PARAMETER_PREFIX = b"mcp-param-"

SINGLE = frozenset(
    {ACCEPT_HEADER, CONTENT_TYPE_HEADER, REVISION_HEADER, METHOD_HEADER, NAME_HEADER}
)
"""Headers of which a request has at most one."""

RawHeaders = Iterable[tuple[bytes, bytes]]


class Params(msgspec.Struct, forbid_unknown_fields=True):
    """The parameters that clients send with a call."""

    name: str
    arguments: dict[str, Any] = {}
    meta: dict[str, Any] = msgspec.field(name="_meta", default_factory=dict)


class DirectCall(msgspec.Struct, forbid_unknown_fields=True):
    """A `tools/call`, whole."""

    jsonrpc: Literal["2.0"]
    id: str | int
    method: Literal["tools/call"]
    params: Params


CALLS = msgspec.json.Decoder(DirectCall)


def find_direct_call(headers: RawHeaders, body: bytes) -> tuple[DirectCall, str] | None:
    """Return a call that needs no more checks, and its revision.

    Args:
        headers: Of the request, their names in lower case.
        body: Of the request, whole.
    """
    found = find_headers(headers)
    if found is None:
        return None
    revision = found.get(REVISION_HEADER, b"").decode("latin-1")
    is_modern = revision in MODERN_PROTOCOL_VERSIONS
    if not is_modern and revision not in HANDSHAKE_PROTOCOL_VERSIONS:
        return None
    try:
        call = CALLS.decode(body)
    except UNREADABLE:
        return None
    is_sound = has_sound_progress_token(call.params.meta)
    if not is_sound or (is_modern and not is_complete(call, found, revision)):
        return None
    return call, revision


def find_headers(headers: RawHeaders) -> dict[bytes, bytes] | None:
    """Return the headers that count here; None if one is repeated, odd or missing."""
    found: dict[bytes, bytes] = {}
    for name, value in headers:
        if name in SINGLE:
            if name in found:
                return None
            found[name] = value
        elif name.startswith(PARAMETER_PREFIX):
            return None
    is_json = found.get(CONTENT_TYPE_HEADER) in CONTENT_TYPES
    return found if is_json and accepts_json(found.get(ACCEPT_HEADER, b"")) else None


def accepts_json(accept: bytes) -> bool:
    """Return whether a client reads a JSON body."""
    return any(
        part.partition(b";")[0].strip().lower() == JSON for part in accept.split(b",")
    )


def has_sound_progress_token(meta: dict[str, Any]) -> bool:
    """Return whether a progress token, if there is one, has its form.

    Own tools report no progress.
    """
    token = meta.get("progressToken", "")
    return "progress_token" not in meta and (
        isinstance(token, str) or type(token) is int
    )


def is_complete(call: DirectCall, headers: dict[bytes, bytes], revision: str) -> bool:
    """Return whether headers and body agree as revision 2026-07-28 wants it.

    (Basic, Per-request protocol fields; Transports, Streamable HTTP.)
    """
    meta = call.params.meta
    return (
        meta.get(PROTOCOL_VERSION_META_KEY) == revision
        and CLIENT_CAPABILITIES_META_KEY in meta
        and headers.get(METHOD_HEADER) == CALL_METHOD.encode()
        and headers.get(NAME_HEADER) == call.params.name.encode()
    )
