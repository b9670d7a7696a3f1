"""Forward tokens: what one replica vouches for when it forwards a request.

A token replaces the client's credentials, which never leave the replica that the
client talks to. It is valid for one owner, one target and one minute, and a request
that carries one is never forwarded again. Pure.
"""

from collections.abc import Sequence

import msgspec

from mcphub_server.sessions.tokens.mac import find_payload, sign_payload
from mcphub_server.sessions.tokens.principal import Principal

LIFETIME_SECONDS = 60
PURPOSE = "forward-token"
LONGEST = 8192


class ForwardToken(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One forwarded request.

    Attributes:
        owner_uid: The digest of the UID of the pod that has to answer.
        target: Method, path and query of the request.
        principal: The caller; None on a hub without authentication.
        client: The address of the client.
        issued_at: Unix seconds.
    """

    owner_uid: bytes
    target: str
    principal: Principal | None
    client: str
    issued_at: int


ENCODER = msgspec.json.Encoder()
DECODER = msgspec.json.Decoder(ForwardToken)


def sign_forward_token(token: ForwardToken, hub: str, key: bytes) -> str:
    """Return the header's value."""
    return sign_payload(ENCODER.encode(token), PURPOSE, hub, key)


def find_forward_token(
    text: str, hub: str, keys: Sequence[bytes], now: float
) -> ForwardToken | None:
    """Return the token if a replica of this hub wrote it within the last minute.

    Clocks of nodes differ: a token from up to a minute ahead is valid, too.
    """
    if len(text) > LONGEST:
        return None
    payload = find_payload(text, PURPOSE, hub, keys)
    if payload is None:
        return None
    try:
        token = DECODER.decode(payload)
    except msgspec.DecodeError:
        return None
    return token if abs(now - token.issued_at) <= LIFETIME_SECONDS else None
