"""What replicas say to each other when one hands a request over: words and headers."""

from dataclasses import dataclass
from enum import StrEnum

import httpcore2
from starlette.types import Receive, Scope, Send

from mcphub_server.sessions.tokens.session_id import IpAddress
from mcphub_server.web.asgi import find_header, send_response
from mcphub_server.web.headers import (
    FORWARD_TOKEN_HEADER,
    MISDIRECTED_HEADER,
    REQUEST_ID_HEADER,
)

MISDIRECTED = 421

FORWARDED = "mcphub.handed_over"
"""The scope's key that says that a request came with a ticket."""

HOP_BY_HOP = frozenset(
    {
        b"connection",
        b"keep-alive",
        b"proxy-connection",
        b"te",
        b"trailer",
        b"transfer-encoding",
        b"upgrade",
    }
)
CREDENTIALS = frozenset({b"authorization", b"proxy-authorization", b"cookie"})
NOT_SENT = (
    HOP_BY_HOP
    | CREDENTIALS
    | {
        b"content-length",
        b"expect",
        REQUEST_ID_HEADER,
        FORWARD_TOKEN_HEADER,
    }
)
NOT_RETURNED = HOP_BY_HOP | {b"date", b"server", REQUEST_ID_HEADER}


class Misdirected(StrEnum):
    """Why a replica refuses what another one handed over."""

    ANOTHER = "another"
    DRAINING = "draining"


class ForwardResult(StrEnum):
    """How handing over went."""

    ANSWERED = "answered"
    OWNER_GONE = "owner gone"  # nothing was sent to the client
    OWNER_DRAINS = "owner drains"  # nor here; it answers what it began before
    BROKEN = "broken"  # the owner died within its answer


@dataclass(frozen=True, slots=True)
class Owner:
    """The replica that a request is meant for: an address, and whose it shall be."""

    address: IpAddress
    uid: bytes


@dataclass(frozen=True, slots=True)
class ForwardRequest:
    """One request, its body read; `receive` tells of the client's leaving."""

    scope: Scope
    receive: Receive
    send: Send
    body: bytes


def is_forwarded(scope: Scope) -> bool:
    """Say whether another replica sent this request: it goes no further."""
    return scope.get(FORWARDED, False) is True


def find_refusal(response: httpcore2.Response) -> ForwardResult | None:
    """Return why the pod at the owner's address does not answer, if it does not."""
    if response.status != MISDIRECTED:
        return None
    match find_header(response.headers, MISDIRECTED_HEADER):
        case None:
            return None
        case Misdirected.DRAINING:
            return ForwardResult.OWNER_DRAINS
        case _:
            return ForwardResult.OWNER_GONE


async def send_misdirected(send: Send, reason: Misdirected) -> None:
    """Tell the replica that handed a request over to answer it itself."""
    header = (MISDIRECTED_HEADER, reason.encode())
    await send_response(send, MISDIRECTED, b"", [header])


def request_target(scope: Scope) -> bytes:
    """Return path and query as they came."""
    path: bytes = scope.get("raw_path") or scope["path"].encode()
    query: bytes = scope.get("query_string", b"")
    return path + b"?" + query if query else path


def describe_target(scope: Scope) -> str:
    """Return what a ticket is good for."""
    return f"{scope['method']} {request_target(scope).decode('latin-1')}"
