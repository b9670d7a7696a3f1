"""What the ASGI layers do with messages: find headers, answer, replay a body.

Starlette's classes do the same at the price of a Response or a parsed Request for each
message of each stream.
"""

from collections.abc import Iterable

import msgspec
from starlette.types import Message, Receive, Send

from mcphub_server.web.jsonrpc import INVALID_REQUEST

Headers = list[tuple[bytes, bytes]]


def find_header(headers: Iterable[tuple[bytes, bytes]], name: bytes) -> str | None:
    """Return the first value of a header (its name in lower case)."""
    for key, value in headers:
        if key.lower() == name:
            return value.decode("latin-1")
    return None


def replace_header(
    headers: Iterable[tuple[bytes, bytes]], name: bytes, value: str | None
) -> Headers:
    """Return the headers with one replaced, or without it."""
    kept = [(key, old) for key, old in headers if key.lower() != name]
    return kept if value is None else [*kept, (name, value.encode("latin-1"))]


def is_event_stream(start: Message) -> bool:
    """Return whether a response is a stream of events."""
    content_type = find_header(start.get("headers", ()), b"content-type") or ""
    return content_type.startswith("text/event-stream")


async def send_response(
    send: Send, status: int, body: bytes, headers: Iterable[tuple[bytes, bytes]]
) -> None:
    """Answer with a whole body."""
    length = (b"content-length", str(len(body)).encode())
    await send(
        {
            "type": "http.response.start",
            "status": status,
            "headers": [*headers, length],
        }
    )
    await send({"type": "http.response.body", "body": body})


async def send_error(
    send: Send, status: int, message: str, headers: Iterable[tuple[bytes, bytes]] = ()
) -> None:
    """Answer with a JSON-RPC error that belongs to no request, as the SDK does."""
    error = {"code": INVALID_REQUEST, "message": message}
    body = msgspec.json.encode({"jsonrpc": "2.0", "id": None, "error": error})
    content_type = (b"content-type", b"application/json")
    await send_response(send, status, body, [content_type, *headers])


def rewind(body: bytes, receive: Receive) -> Receive:
    """Return a `receive` that yields a body again, and then what follows it."""
    waiting = [body]

    async def receive_again() -> Message:
        if waiting:
            return {"type": "http.request", "body": waiting.pop(), "more_body": False}
        return await receive()

    return receive_again
