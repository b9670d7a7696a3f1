"""Session ids that name the owner of the session, and are signed.

A client sends the id to whichever replica the network picks. So the id carries all
that this replica needs: who owns the session, and what it takes to adopt the session
when the owner is gone. Pure: keys, time and randomness arrive as arguments.

The 16 random bytes are the SDK's own id of the session at its first owner (its SSE
transport accepts UUIDs only), so that an owner maps ids without a table.
"""

import struct
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum, IntFlag
from hashlib import blake2b
from ipaddress import IPv4Address, IPv6Address, ip_address

from mcphub_server.sessions.tokens.mac import MAC_SIZE, compute_mac, verify_mac

IpAddress = IPv4Address | IPv6Address

VERSION = 1
LAYOUT = struct.Struct("!BB16s16sIH16sQ16s")
PURPOSE = "session"
TEXT_SIZE = -(-(LAYOUT.size + MAC_SIZE) * 4 // 3)


class Transport(IntEnum):
    """Which of the transports the session speaks."""

    SSE = 1
    HTTP = 2


TRANSPORTS = frozenset(Transport)


class Capability(IntFlag):
    """The capabilities of a client that a server may make use of."""

    NONE = 0
    ROOTS = 1
    ROOTS_LIST_CHANGED = 2
    SAMPLING = 4
    SAMPLING_TOOLS = 8
    SAMPLING_CONTEXT = 16
    ELICITATION = 32
    ELICITATION_FORM = 64
    ELICITATION_URL = 128


@dataclass(frozen=True, slots=True)
class Owner:
    """The replica that owns a session: an address, and the pod that must have it."""

    address: IpAddress
    uid: bytes


@dataclass(frozen=True, slots=True)
class SessionId:
    """The content of an id.

    Attributes:
        transport: The id is valid on this one only.
        owner_address: Of the pod that began the session.
        owner_uid: A digest of that pod's UID: another pod may get the address later.
        revision: The negotiated protocol revision; empty when not yet known.
        capabilities: What the client offers to the server.
        principal: A digest of who began the session.
        expires_at: Unix seconds.
        sdk_session_id: The SDK's own id, 16 bytes.
    """

    transport: Transport
    owner_address: IpAddress
    owner_uid: bytes
    revision: str
    capabilities: Capability
    principal: bytes
    expires_at: int
    sdk_session_id: bytes

    @property
    def owner(self) -> Owner:
        """The replica that began the session."""
        return Owner(self.owner_address, self.owner_uid)


def digest(text: str) -> bytes:
    """Return 16 bytes that stand for a pod UID or a principal."""
    return blake2b(text.encode(), digest_size=16).digest()


def sign_session_id(session: SessionId, hub: str, key: bytes) -> str:
    """Return the id that clients see: 150 letters, digits, dashes, underscores."""
    payload = LAYOUT.pack(
        VERSION,
        session.transport,
        pack_address(session.owner_address),
        session.owner_uid,
        pack_revision(session.revision),
        session.capabilities,
        session.principal,
        session.expires_at,
        session.sdk_session_id,
    )
    token = payload + compute_mac(payload, PURPOSE, hub, key)
    return urlsafe_b64encode(token).rstrip(b"=").decode()


def find_session_id(
    text: str, hub: str, keys: Sequence[bytes], now: float
) -> SessionId | None:
    """Return the content of an id that this hub signed and that has not expired."""
    token = decode(text)
    if token is None:
        return None
    payload, mac = token[: LAYOUT.size], token[LAYOUT.size :]
    if not verify_mac(payload, mac, PURPOSE, hub, keys):
        return None
    session = unpack(payload)
    return session if session is not None and session.expires_at > now else None


def decode(text: str) -> bytes | None:
    """Return the bytes of an id, None unless it has its only valid spelling."""
    if len(text) != TEXT_SIZE or not text.isascii():
        return None
    try:
        token = urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except ValueError:
        return None
    return token if urlsafe_b64encode(token).rstrip(b"=").decode() == text else None


def unpack(payload: bytes) -> SessionId | None:
    """Read an authenticated payload; None if a newer version wrote it."""
    (
        version,
        transport,
        owner,
        uid,
        revision,
        flags,
        principal,
        expiry,
        sdk_session_id,
    ) = LAYOUT.unpack(payload)
    if version != VERSION or transport not in TRANSPORTS:
        return None
    return SessionId(
        Transport(transport),
        unpack_address(owner),
        uid,
        unpack_revision(revision),
        Capability(flags),
        principal,
        expiry,
        sdk_session_id,
    )


def pack_address(address: IpAddress) -> bytes:
    """Write IPv4 as an IPv4-mapped IPv6 address."""
    if isinstance(address, IPv4Address):
        return b"\0" * 10 + b"\xff\xff" + address.packed
    return address.packed


def unpack_address(packed: bytes) -> IpAddress:
    """Read what `pack_address` wrote."""
    address = IPv6Address(packed)
    return address.ipv4_mapped or address


def pack_revision(revision: str) -> int:
    """Write a date-shaped revision as the number YYYYMMDD."""
    digits = revision.replace("-", "")
    return int(digits) if digits.isascii() and digits.isdigit() else 0


def unpack_revision(packed: int) -> str:
    """Read what `pack_revision` wrote."""
    digits = f"{packed:08}"
    return f"{digits[:4]}-{digits[4:6]}-{digits[6:]}" if packed else ""


def parse_address(text: str) -> IpAddress:
    """Read an address; raises ValueError."""
    address = ip_address(text)
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return mapped or address
