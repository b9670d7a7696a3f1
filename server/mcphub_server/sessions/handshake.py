"""What an `initialize` says, reduced to what a session id carries, and back again.

Pure. This is what an adopted session is initialized with. The client's name is not
part of it, because nothing that the server does depends on it.
"""

from collections.abc import Mapping

import msgspec
from mcp_types.version import HANDSHAKE_PROTOCOL_VERSIONS, LATEST_HANDSHAKE_VERSION

from mcphub_server.sessions.tokens.session_id import Capability
from mcphub_server.web.jsonrpc import Message, decode, parse_message

INITIALIZED = b'{"jsonrpc":"2.0","method":"notifications/initialized"}'
ADOPTION_ID = "mcphub-adoption"
MODERN_ENVELOPE = b"io.modelcontextprotocol/protocolVersion"


class Params(msgspec.Struct, rename="camel"):
    """The parameters of `initialize` that matter here."""

    protocol_version: str = ""
    capabilities: dict[str, object] = {}


PARAMS = msgspec.json.Decoder(Params)


def lacks_handshake(body: bytes) -> bool:
    """Return whether the first message of a stream assumes an earlier handshake.

    A TypeScript client that lost its stream opens a new one and goes on calling; the
    SDK would answer every call with an error. Requests of revisions without a handshake
    carry an envelope and need no help; the SDK refuses what is no message.
    """
    method = parse_message(body).method
    opens = method in {"", "initialize", "server/discover"}
    return not opens and MODERN_ENVELOPE not in body


def parse_initialize(message: Message) -> tuple[str, Capability]:
    """Return the revision that will be negotiated and what the client can do."""
    params = decode(PARAMS, bytes(message.params))
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
    """Write the `initialize` of an adopted session."""
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
