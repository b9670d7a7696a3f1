"""Tickets: what one replica tells another about a request that it hands over.

A ticket stands in for the client's credentials, which never leave the replica that
the client talked to. It is good for one owner, one target and a minute, and a
request that carries one is never handed over again. Pure.
"""

from collections.abc import Sequence

import msgspec

from mcphub_server.sessions.tokens.mac import find_payload, sign_payload
from mcphub_server.sessions.tokens.principal import Principal

LIFETIME_SECONDS = 60
PURPOSE = "ticket"
LONGEST = 8192


class ForwardToken(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One request's handing over.

    Attributes:
        owner_uid: The digest of the pod that is meant.
        target: Method, path and query of the request.
        principal: Who asked; None where the hub asks nobody who they are.
        client: The address that the request came from.
        issued_at: Unix seconds.
    """

    owner_uid: bytes
    target: str
    principal: Principal | None
    client: str
    issued_at: int


ENCODER = msgspec.json.Encoder()
DECODER = msgspec.json.Decoder(ForwardToken)


def sign_forward_token(ticket: ForwardToken, hub: str, key: bytes) -> str:
    """Return the header's value."""
    return sign_payload(ENCODER.encode(ticket), PURPOSE, hub, key)


def find_forward_token(
    text: str, hub: str, keys: Sequence[bytes], now: float
) -> ForwardToken | None:
    """Return the ticket if a replica of this hub wrote it within the last minute.

    Clocks of nodes differ: a ticket from up to a minute ahead is good as well.
    """
    if len(text) > LONGEST:
        return None
    payload = find_payload(text, PURPOSE, hub, keys)
    if payload is None:
        return None
    try:
        ticket = DECODER.decode(payload)
    except msgspec.DecodeError:
        return None
    return ticket if abs(now - ticket.issued_at) <= LIFETIME_SECONDS else None
