"""Receipts: the event ids of replies that take a while.

A client that loses the connection hands its last event id back, to any replica. The
id says where the reply is being made, and carries the request itself if it is small:
then a reply outlives the replica that was making it, for every tool only reads and
may run again. The client sees only what it sent. Pure.
"""

import zlib
from collections.abc import Sequence

import msgspec

from mcphub_server.sessions.tokens.mac import find_payload, sign_payload

PURPOSE = "receipt"
LIFETIME_SECONDS = 600
LONGEST_REQUEST = 4096
"""Compressed. Ids of 6 KB were seen to pass; nginx takes header lines up to 8 KB."""

LONGEST_ID = 8000


class EventId(msgspec.Struct, frozen=True, array_like=True):
    """Where a reply is being made, and for which request.

    Attributes:
        owner: The address of the replica that makes it.
        owner_uid: The digest of that pod's UID.
        key: Names the reply there.
        request: The request's id.
        principal: The digest of who asked.
        issued_at: Unix seconds.
        headers: The request's own MCP headers.
        body: The request itself, compressed; empty if it is too large.
    """

    owner: str
    owner_uid: bytes
    key: bytes
    request: str | int
    principal: bytes
    issued_at: int
    headers: tuple[tuple[bytes, bytes], ...]
    body: bytes


ENCODER = msgspec.msgpack.Encoder()
DECODER = msgspec.msgpack.Decoder(EventId)


def pack_request(body: bytes) -> bytes:
    """Compress a request; empty if it does not fit into an id."""
    packed = zlib.compress(body)
    return packed if len(packed) <= LONGEST_REQUEST else b""


def unpack_request(packed: bytes) -> bytes:
    """Return what `pack_request` compressed; signed, so nobody else wrote it."""
    return zlib.decompress(packed) if packed else b""


def sign_event_id(receipt: EventId, hub: str, key: bytes) -> str:
    """Return the event id."""
    return sign_payload(ENCODER.encode(receipt), PURPOSE, hub, key)


def find_event_id(
    text: str, hub: str, keys: Sequence[bytes], now: float
) -> EventId | None:
    """Return what an event id says, if this hub wrote it not long ago."""
    if len(text) > LONGEST_ID:
        return None
    payload = find_payload(text, PURPOSE, hub, keys)
    if payload is None:
        return None
    try:
        receipt = DECODER.decode(payload)
    except msgspec.DecodeError:
        return None
    return receipt if now - receipt.issued_at <= LIFETIME_SECONDS else None
