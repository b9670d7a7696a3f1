"""What an `initialize` says, reduced to what a session id carries, and back again.

Pure. An adopted session is begun anew with these few facts; the client's name is not
among them, for nothing that the server does depends on it.
"""

from collections.abc import Mapping

import msgspec
from mcp_types.version import HANDSHAKE_PROTOCOL_VERSIONS, LATEST_HANDSHAKE_VERSION

from mcphub_server.sessions.tokens.session_id import Capability
from mcphub_server.web.jsonrpc import REQUESTS, find_method, peek

INITIALIZED = b'{"jsonrpc":"2.0","method":"notifications/initialized"}'
ADOPTION_ID = "mcphub-adoption"
MODERN_ENVELOPE = b"io.modelcontextprotocol/protocolVersion"


class Params(msgspec.Struct, rename="camel"):
    """The parameters of `initialize` that matter here."""

    protocol_version: str = ""
    capabilities: dict[str, object] = {}


PARAMS = msgspec.json.Decoder(Params)


def lacks_handshake(body: bytes) -> bool:
    """Say whether the first message of a stream takes a handshake for granted.

    A TypeScript client that lost its stream opens a new one and goes on calling; the
    SDK would answer every call with an error. Revisions without a handshake tell by
    an envelope in each request and need no help; what is no message at all is the
    SDK's to refuse.
    """
    method = find_method(body)
    opens = method in {"", "initialize", "server/discover"}
    return not opens and MODERN_ENVELOPE not in body


def parse_initialize(body: bytes) -> tuple[str, Capability]:
    """Return the revision that will be negotiated and what the client can do."""
    opening = peek(REQUESTS, body)
    params = peek(PARAMS, bytes(opening.params)) if opening else None
    if params is None:
        return LATEST_HANDSHAKE_VERSION, Capability.NONE
    requested = params.protocol_version
    known = requested in HANDSHAKE_PROTOCOL_VERSIONS
    revision = requested if known else LATEST_HANDSHAKE_VERSION
    return revision, pack_capabilities(params.capabilities)


MEMBERS = (
    (Capability.ROOTS, "roots", ""),
    (Capability.ROOTS_LIST_CHANGED, "roots", "listChanged"),
    (Capability.SAMPLING, "sampling", ""),
    (Capability.SAMPLING_TOOLS, "sampling", "tools"),
    (Capability.SAMPLING_CONTEXT, "sampling", "context"),
    (Capability.ELICITATION, "elicitation", ""),
    (Capability.ELICITATION_FORM, "elicitation", "form"),
    (Capability.ELICITATION_URL, "elicitation", "url"),
)


def pack_capabilities(capabilities: Mapping[str, object]) -> Capability:
    """Reduce a capabilities object to flags."""
    flags = Capability.NONE
    for flag, name, member in MEMBERS:
        value = capabilities.get(name)
        has_member = isinstance(value, Mapping) and value.get(member) not in (
            None,
            False,
        )
        if has_member or (not member and value is not None):
            flags |= flag
    return flags


def unpack_capabilities(flags: Capability) -> dict[str, dict[str, object]]:
    """Make a capabilities object from flags."""
    capabilities: dict[str, dict[str, object]] = {}
    for flag, name, member in MEMBERS:
        if flag not in flags:
            continue
        value = capabilities.setdefault(name, {})
        if member:
            value[member] = True if member == "listChanged" else {}
    return capabilities


def build_initialize(revision: str, flags: Capability) -> bytes:
    """Write the `initialize` that an adoption begins with."""
    return msgspec.json.encode(
        {
            "jsonrpc": "2.0",
            "id": ADOPTION_ID,
            "method": "initialize",
            "params": {
                "protocolVersion": revision or LATEST_HANDSHAKE_VERSION,
                "capabilities": unpack_capabilities(flags),
                "clientInfo": {"name": "adopted", "version": "0"},
            },
        }
    )
