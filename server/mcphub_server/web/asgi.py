"""The few things that every ASGI layer here does with messages.

Starlette's classes would do them too, at the price of a Response object or a parsed
Request for each message of each stream.
"""

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass, field

import msgspec
from starlette.types import ASGIApp, Message, Receive, Scope, Send

Headers = list[tuple[bytes, bytes]]

LARGEST_BODY = 4 * 1024 * 1024
"""The SDK's own limit."""

READ_SECONDS = 20.0
"""How long a client may take to send a body; a drain waits for it as well."""

INVALID_REQUEST = -32600
TOO_LARGE = 413


def find_header(headers: Iterable[tuple[bytes, bytes]], name: bytes) -> str | None:
    """Return the first value of a header (its name in lower case)."""
    for key, value in headers:
        if key.lower() == name:
            return value.decode("latin-1")
    return None


def replace_header(
    headers: Iterable[tuple[bytes, bytes]], name: bytes, value: str | None
) -> Headers:
    """Return the headers with one set anew, or taken away."""
    kept = [(key, old) for key, old in headers if key.lower() != name]
    return kept if value is None else [*kept, (name, value.encode("latin-1"))]


def is_event_stream(start: Message) -> bool:
    """Say whether a response is a stream of events."""
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


async def send_error(send: Send, status: int, message: str) -> None:
    """Answer with a JSON-RPC error that belongs to no request, as the SDK does."""
    error = {"code": INVALID_REQUEST, "message": message}
    body = msgspec.json.encode({"jsonrpc": "2.0", "id": None, "error": error})
    await send_response(send, status, body, [(b"content-type", b"application/json")])


async def read_body(receive: Receive) -> bytes | None:
    """Read a request's body; None if it is too large or slow, or its client left."""
    parts: list[bytes] = []
    size = 0
    more = True
    try:
        async with asyncio.timeout(READ_SECONDS):
            while more:
                message = await receive()
                parts.append(message.get("body", b""))
                size += len(parts[-1])
                more = message.get("more_body", False)
                if message["type"] == "http.disconnect" or size > LARGEST_BODY:
                    return None
    except TimeoutError:
        return None
    return b"".join(parts)


def rewind(body: bytes, receive: Receive) -> Receive:
    """Return a `receive` that yields a body that was read before."""
    waiting = [body]

    async def receive_again() -> Message:
        if waiting:
            return {"type": "http.request", "body": waiting.pop(), "more_body": False}
        return await receive()

    return receive_again


@dataclass(slots=True)
class AppResponse:
    """What an application answered to a request that we made ourselves."""

    status: int = 500
    headers: Headers = field(default_factory=list)
    body: bytearray = field(default_factory=bytearray)


async def call_app(app: ASGIApp, scope: Scope, body: bytes) -> AppResponse:
    """Make a request to an application in this process and read its whole answer."""
    answer = AppResponse()
    done = asyncio.Event()
    request: Message = {"type": "http.request", "body": body, "more_body": False}
    waiting = [request]

    async def receive() -> Message:
        if waiting:
            return waiting.pop()
        await done.wait()
        return {"type": "http.disconnect"}

    async def send(message: Message) -> None:
        if message["type"] == "http.response.start":
            answer.status = message["status"]
            answer.headers = list(message.get("headers", ()))
        elif message["type"] == "http.response.body":
            answer.body += message.get("body", b"")
            if not message.get("more_body", False):
                done.set()

    await app({**scope}, receive, send)  # routers write into it
    return answer
