"""Signing what replicas write for each other, each purpose apart. Pure."""

import hmac
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Sequence
from hashlib import sha256

MAC_SIZE = 32


def authenticate(payload: bytes, purpose: str, hub: str, key: bytes) -> bytes:
    """Return the MAC.

    The purpose keeps a ticket from passing for a session id, and the hub's name keeps
    two hubs of one key apart.
    """
    context = f"mcphub {purpose}\0{hub}\0".encode()
    return hmac.digest(key, context + payload, sha256)


def is_authentic(
    payload: bytes, mac: bytes, purpose: str, hub: str, keys: Sequence[bytes]
) -> bool:
    """Say whether one of the keys made this MAC."""
    return any(
        hmac.compare_digest(mac, authenticate(payload, purpose, hub, key))
        for key in keys
    )


def seal(payload: bytes, purpose: str, hub: str, key: bytes) -> str:
    """Return payload and MAC as text that fits into headers."""
    token = authenticate(payload, purpose, hub, key) + payload
    return urlsafe_b64encode(token).decode()


def find_sealed(
    text: str, purpose: str, hub: str, keys: Sequence[bytes]
) -> bytes | None:
    """Return the payload of a text that this hub sealed for this purpose."""
    try:
        token = urlsafe_b64decode(text)
    except ValueError:
        return None
    mac, payload = token[:MAC_SIZE], token[MAC_SIZE:]
    return payload if is_authentic(payload, mac, purpose, hub, keys) else None
