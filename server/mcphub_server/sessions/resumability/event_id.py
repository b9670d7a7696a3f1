"""Event ids of responses that take a while.

A client that loses its connection sends its last event id to any replica. The id names
the replica that makes the response, and carries the request itself if it is small.
Then the response survives that replica, because every tool only reads and can run
again. The client sees only what it sent. Pure.
"""

import zlib
from collections.abc import Sequence

import msgspec

from mcphub_server.sessions.tokens.mac import find_payload, sign_payload
from mcphub_server.sessions.tokens.session_id import Owner, parse_address

PURPOSE = "event-id"
LIFETIME_SECONDS = 600
LONGEST_REQUEST = 4096
"""Compressed. Ids of 6 KB were seen to pass; nginx takes header lines up to 8 KB."""

LONGEST_BODY = 65_536
"""Not compressed: what is longer seldom fits, and compressing it takes long."""

LONGEST_ID = 8000


class EventId(msgspec.Struct, frozen=True, array_like=True):
    """Which replica makes a response, and to which request.

    Attributes:
        owner_address: Of the replica that makes it.
        owner_uid: The digest of that pod's UID.
        key: Names the response there.
        request: The request's id.
        principal: The digest of the caller.
        issued_at: Unix seconds.
        headers: The request's own MCP headers.
        body: The request itself, compressed; empty if it is too large.
    """

    owner_address: str
    owner_uid: bytes
    key: bytes
    request: str | int
    principal: bytes
    issued_at: int
    headers: tuple[tuple[bytes, bytes], ...]
    body: bytes

    @property
    def owner(self) -> Owner:
        """The replica that makes the response."""
        return Owner(parse_address(self.owner_address), self.owner_uid)


ENCODER = msgspec.msgpack.Encoder()
DECODER = msgspec.msgpack.Decoder(EventId)


def pack_request(body: bytes) -> bytes:
    """Compress a request; empty if it does not fit into an id."""
    if len(body) > LONGEST_BODY:
        return b""
    packed = zlib.compress(body)
    return packed if len(packed) <= LONGEST_REQUEST else b""


def unpack_request(packed: bytes) -> bytes:
    """Return what `pack_request` compressed; signed, so this hub wrote it."""
    return zlib.decompress(packed) if packed else b""


def sign_event_id(event_id: EventId, hub: str, key: bytes) -> str:
    """Return the event id."""
    return sign_payload(ENCODER.encode(event_id), PURPOSE, hub, key)


def find_event_id(
    text: str, hub: str, keys: Sequence[bytes], now: float
) -> EventId | None:
    """Return the content of an event id that this hub wrote not long ago."""
    if len(text) > LONGEST_ID:
        return None
    payload = find_payload(text, PURPOSE, hub, keys)
    if payload is None:
        return None
    try:
        event_id = DECODER.decode(payload)
    except msgspec.DecodeError:
        return None
    return event_id if now - event_id.issued_at <= LIFETIME_SECONDS else None
