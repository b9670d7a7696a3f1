"""Session ids as replicas sign them, for sessions that no replica holds."""

import time
from ipaddress import ip_address
from typing import Any

from mcphub_server.sessions.tokens.principal import Principal, digest_principal
from mcphub_server.sessions.tokens.session_id import (
    Capability,
    SessionId,
    Transport,
    digest,
    sign_session_id,
)

KEY = b"a key that all replicas share"
NOWHERE = ip_address("127.0.0.9")
"""The address of a pod that is gone."""


def build_id(
    transport: Transport = Transport.HTTP,
    key: bytes = KEY,
    hub: str = "ns/team-data",
    **changes: Any,
) -> str:
    """Sign the id of a session of ann's, of a pod that is gone."""
    fields: dict[str, Any] = {
        "owner_address": NOWHERE,
        "owner_uid": digest("uid-9"),
        "revision": "2025-11-25",
        "capabilities": Capability.NONE,
        "principal": digest_principal(Principal("ann")),
        "expires_at": int(time.time()) + 600,
        "sdk_session_id": b"n" * 16,
        **changes,
    }
    return sign_session_id(SessionId(transport=transport, **fields), hub, key)
