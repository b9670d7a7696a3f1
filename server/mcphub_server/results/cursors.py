"""Cursors between pages: opaque, signed, bound to who asked for what.

A cursor holds an offset and nothing else; tool, statement and caller are in its
signature alone. Whichever replica has the key can check it, and one that was changed,
borrowed from another client or put to another statement is refused.
"""

import hashlib
import hmac
from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error as Base64Error
from dataclasses import dataclass

from mcphub_server.errors import BadArgument

_VERSION = b"\x01"
_OFFSET_BYTES = 8
_MAC_BYTES = 16
_LABEL = b"mcphub cursor v1"
_ADVICE = "Pass next_cursor as it came, with the same tool and arguments, or none."


@dataclass(frozen=True, slots=True)
class CursorState:
    """Where a page begins, and for which caller."""

    tool: str
    fingerprint: str
    offset: int
    principal: str


class CursorSigner:
    """Makes and checks cursors with a key that all replicas share."""

    def __init__(self, key: bytes) -> None:
        self._key = hmac.digest(key, _LABEL, hashlib.sha256)

    def __repr__(self) -> str:
        return "CursorSigner(…)"

    def sign(self, state: CursorState) -> str:
        """Return the cursor for a page."""
        offset = state.offset.to_bytes(_OFFSET_BYTES, "big")
        mac = self._mac(offset, state.tool, state.fingerprint, state.principal)
        return _encode(_VERSION + offset + mac)

    def verify(self, token: str, tool: str, fingerprint: str, principal: str) -> int:
        """Return the offset that a cursor stands for.

        Raises:
            BadArgument: It was not made by this hub for this caller and statement.
        """
        raw = _decode(token)
        offset, mac = raw[1 : 1 + _OFFSET_BYTES], raw[1 + _OFFSET_BYTES :]
        expected = self._mac(offset, tool, fingerprint, principal)
        if raw[:1] != _VERSION or not hmac.compare_digest(mac, expected):
            raise BadArgument(f"The cursor does not belong to this call. {_ADVICE}")
        return int.from_bytes(offset, "big")

    def _mac(self, offset: bytes, *parts: str) -> bytes:
        fields = [offset, *(p.encode(errors="surrogatepass") for p in parts)]
        message = b"".join(len(f).to_bytes(8, "big") + f for f in fields)
        return hmac.digest(self._key, message, hashlib.sha256)[:_MAC_BYTES]


def _encode(raw: bytes) -> str:
    return urlsafe_b64encode(raw).rstrip(b"=").decode()


def _decode(token: str) -> bytes:
    length = 1 + _OFFSET_BYTES + _MAC_BYTES
    try:
        raw = urlsafe_b64decode(token.encode("ascii") + b"=" * (-len(token) % 4))
    except (UnicodeEncodeError, Base64Error, ValueError):
        raw = b""
    # encoded again, for the last character has bits that decoding ignores
    if len(raw) != length or _encode(raw) != token:
        raise BadArgument(f"The cursor is not one of this hub's. {_ADVICE}")
    return raw
