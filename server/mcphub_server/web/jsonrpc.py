"""Looking into JSON-RPC messages before the SDK reads them whole.

Pure. What cannot be read here is nobody's request: the SDK refuses it.
"""

from typing import TypeVar

import msgspec

UNREADABLE = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)
"""What a decoder raises for bytes that are no message."""

INTERNAL_ERROR = -32603

LONGEST_ID = 256
"""Of requests that are answered for; the specification's own are short numbers."""

RequestKey = str | int
T = TypeVar("T")


class Request(msgspec.Struct):
    """As much of a message as tells whether an answer will come."""

    id: str | int | None = None
    method: str = ""
    params: msgspec.Raw = msgspec.Raw()


class Cancelled(msgspec.Struct, rename="camel"):
    """The parameters of `notifications/cancelled`."""

    request_id: str | int | None = None


REQUESTS = msgspec.json.Decoder(Request)
CANCELLED = msgspec.json.Decoder(Cancelled)
CANCELLED_METHOD = "notifications/cancelled"


def peek(decoder: msgspec.json.Decoder[T], body: bytes) -> T | None:
    """Decode what a decoder wants of a body; None if it cannot be read."""
    try:
        return decoder.decode(body)
    except UNREADABLE:
        return None


def find_method(body: bytes) -> str:
    """Return a message's method, empty if it has none or is no message."""
    request = peek(REQUESTS, body)
    return request.method if request else ""


def find_request(body: bytes) -> RequestKey | None:
    """Return the id of a request; None for notifications, answers and the rest."""
    request = peek(REQUESTS, body)
    if request is None or not request.method:
        return None
    too_long = isinstance(request.id, str) and len(request.id) > LONGEST_ID
    return None if too_long else request.id


def find_cancelled(body: bytes) -> RequestKey | None:
    """Return the id of the request that a message cancels, if it does."""
    request = peek(REQUESTS, body)
    if request is None or request.method != CANCELLED_METHOD:
        return None
    cancelled = peek(CANCELLED, bytes(request.params))
    return cancelled.request_id if cancelled else None


def build_error(request: RequestKey, message: str) -> dict[str, object]:
    """Make the JSON-RPC error that answers a request."""
    error = {"code": INTERNAL_ERROR, "message": message}
    return {"jsonrpc": "2.0", "id": request, "error": error}
