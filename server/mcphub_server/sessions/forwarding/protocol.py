"""What two replicas exchange when one forwards a request to the other."""

from enum import StrEnum
from http import HTTPStatus

import httpcore2
from starlette.types import Scope, Send

from mcphub_server.web.asgi import find_header, send_response
from mcphub_server.web.headers import (
    FORWARD_TOKEN_HEADER,
    MISDIRECTED_HEADER,
    REQUEST_ID_HEADER,
)

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
    | {b"content-length", b"expect", REQUEST_ID_HEADER, FORWARD_TOKEN_HEADER}
)
NOT_RETURNED = HOP_BY_HOP | {b"date", b"server", REQUEST_ID_HEADER}


class Misdirected(StrEnum):
    """Why a replica does not answer a forwarded request."""

    ANOTHER = "another"
    DRAINING = "draining"


class ForwardResult(StrEnum):
    """How forwarding a request ended."""

    ANSWERED = "answered"
    OWNER_GONE = "owner gone"  # nothing was sent to the client
    OWNER_DRAINS = "owner drains"  # nor here; it answers what it began before
    BROKEN = "broken"  # the owner died within its response


def find_refusal(response: httpcore2.Response) -> ForwardResult | None:
    """Return why the pod at the owner's address does not answer, if it does not.

    A pod that asks for credentials does not know forward tokens: it is of another
    release, and its 401 would send the client to log in.
    """
    if response.status == HTTPStatus.UNAUTHORIZED:
        return ForwardResult.OWNER_GONE
    if response.status != HTTPStatus.MISDIRECTED_REQUEST:
        return None
    match find_header(response.headers, MISDIRECTED_HEADER):
        case None:
            return None
        case Misdirected.DRAINING:
            return ForwardResult.OWNER_DRAINS
        case _:
            return ForwardResult.OWNER_GONE


async def send_misdirected(send: Send, reason: Misdirected) -> None:
    """Leave a forwarded request to the replica that forwarded it."""
    header = (MISDIRECTED_HEADER, reason.encode())
    await send_response(send, HTTPStatus.MISDIRECTED_REQUEST, b"", [header])


def build_target(scope: Scope) -> bytes:
    """Return path and query as they came."""
    path: bytes = scope.get("raw_path") or scope["path"].encode()
    query: bytes = scope.get("query_string", b"")
    return path + b"?" + query if query else path


def describe_target(scope: Scope) -> str:
    """Return the method and target that a forward token is valid for."""
    return f"{scope['method']} {build_target(scope).decode('latin-1')}"
