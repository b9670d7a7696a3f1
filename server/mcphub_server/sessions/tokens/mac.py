"""Message authentication codes (MAC) over what replicas write for each other. Pure."""

import hmac
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Sequence
from hashlib import sha256

MAC_SIZE = 32


def compute_mac(payload: bytes, purpose: str, hub: str, key: bytes) -> bytes:
    """Return the MAC.

    The purpose keeps a forward token from passing for a session id, and the hub's name
    separates two hubs that share a key.
    """
    context = f"mcphub {purpose}\0{hub}\0".encode()
    return hmac.digest(key, context + payload, sha256)


def verify_mac(
    payload: bytes, mac: bytes, purpose: str, hub: str, keys: Sequence[bytes]
) -> bool:
    """Return whether one of the keys made this MAC."""
    return any(
        hmac.compare_digest(mac, compute_mac(payload, purpose, hub, key))
        for key in keys
    )


def sign_payload(payload: bytes, purpose: str, hub: str, key: bytes) -> str:
    """Return payload and MAC as text that fits into headers."""
    token = compute_mac(payload, purpose, hub, key) + payload
    return urlsafe_b64encode(token).decode()


def find_payload(
    text: str, purpose: str, hub: str, keys: Sequence[bytes]
) -> bytes | None:
    """Return the payload of a text that this hub signed for this purpose."""
    try:
        token = urlsafe_b64decode(text)
    except ValueError:
        return None
    mac, payload = token[:MAC_SIZE], token[MAC_SIZE:]
    return payload if verify_mac(payload, mac, purpose, hub, keys) else None
