"""Opens many sessions over the older transport and holds them.

Each is what a client makes of it: the event stream, `initialize`, `initialized`.
"""

import asyncio
import json
import re
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass

TIMEOUT_SECONDS = 60.0
AT_ONCE = 20

INITIALIZE = {
    "jsonrpc": "2.0",
    "id": 1,
    "method": "initialize",
    "params": {
        "protocolVersion": "2025-11-25",
        "capabilities": {},
        "clientInfo": {"name": "bench", "version": "1"},
    },
}
INITIALIZED = {"jsonrpc": "2.0", "method": "notifications/initialized"}


@dataclass(frozen=True, slots=True)
class HubAccess:
    """The port of a hub, and a token for it."""

    port: int
    token: str

    def request(self, method: str, path: str, body: bytes = b"") -> bytes:
        """Return a whole request."""
        head = [
            f"{method} {path} HTTP/1.1",
            f"Host: 127.0.0.1:{self.port}",
            f"Authorization: Bearer {self.token}",
            "Accept: text/event-stream",
            "Content-Type: application/json",
            f"Content-Length: {len(body)}",
        ]
        return "\r\n".join([*head, "", ""]).encode() + body


@asynccontextmanager
async def open_sessions(hub: HubAccess, count: int) -> AsyncIterator[None]:
    """Hold that many sessions open for the length of the block."""
    gate = asyncio.Semaphore(AT_ONCE)

    async def open_one() -> asyncio.StreamWriter:
        async with gate, asyncio.timeout(TIMEOUT_SECONDS):
            return await _open_session(hub)

    writers = await asyncio.gather(*(open_one() for _ in range(count)))
    try:
        yield
    finally:
        for writer in writers:
            writer.close()


async def _open_session(hub: HubAccess) -> asyncio.StreamWriter:
    reader, writer = await asyncio.open_connection("127.0.0.1", hub.port)
    writer.write(hub.request("GET", "/sse"))
    event = await reader.readuntil(b"/messages/")
    if b" 200 " not in event.partition(b"\r\n")[0]:
        raise RuntimeError(f"no event stream: {event[:300]!r}")
    rest = await reader.readuntil(b"\n")
    path = "/messages/" + rest.decode().strip()
    await _post(hub, path, INITIALIZE)
    await reader.readuntil(b'"result"')
    await _post(hub, path, INITIALIZED)
    return writer


async def _post(hub: HubAccess, path: str, message: Mapping[str, object]) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", hub.port)
    writer.write(hub.request("POST", path, json.dumps(message).encode()))
    status = await reader.readline()
    writer.close()
    if not re.match(rb"HTTP/1.1 20[02] ", status):
        raise RuntimeError(f"a message was not taken: {status!r}")
