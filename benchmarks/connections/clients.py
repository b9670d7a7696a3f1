"""SSE clients that are as cheap as can be: thousands of them share one process.

Each opens its stream and each of its messages on a connection of its own, to the
replicas in turn: that is what a Service without affinity makes of real clients, whose
connections are too idle to be kept.
"""

import asyncio
import json
import re
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import cycle
from typing import Any

TIMEOUT_SECONDS = 60.0
MOST_TURNS = 20
ENDPOINT = re.compile(rb"data: (/messages/\S+)\r\n")
ANSWER = re.compile(rb'data: (\{"jsonrpc":"2\.0","id":(\d+),.*\})\r\n')
TURNED = 307
STREAMS = 200

INITIALIZE = {
    "protocolVersion": "2025-11-25",
    "capabilities": {},
    "clientInfo": {"name": "bench", "version": "1"},
}


class NoRoomError(Exception):
    """The hub refused a stream; carries its words."""


@dataclass(slots=True)
class Service:
    """The replicas, one after the other, and how often a new session was redirected."""

    port: int
    token: str
    addresses: Iterator[str]
    turned: int = 0

    async def connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """Open a connection to the next replica."""
        return await asyncio.open_connection(next(self.addresses), self.port)

    def write(self, method: str, path: str, body: bytes = b"") -> bytes:
        """Return a whole request."""
        head = [
            f"{method} {path} HTTP/1.1",
            f"Host: 127.0.0.1:{self.port}",
            f"Authorization: Bearer {self.token}",
            "Accept: text/event-stream",
            "Content-Type: application/json",
            "Connection: close",
            f"Content-Length: {len(body)}",
        ]
        return "\r\n".join([*head, "", ""]).encode() + body


def build_service(port: int, token: str, addresses: Sequence[str]) -> Service:
    """Make the way to the replicas at these addresses."""
    return Service(port, token, cycle(addresses))


@dataclass(slots=True)
class Tally:
    """What became of the calls."""

    outcomes: Counter[str] = field(default_factory=Counter)
    seconds: list[float] = field(default_factory=list)


@dataclass(slots=True)
class Session:
    """One session over SSE."""

    service: Service
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    path: str
    waiting: dict[int, asyncio.Future[bytes]] = field(default_factory=dict)
    number: int = 0
    ended: bool = False

    async def listen(self) -> None:
        """Hand out answers until the stream ends."""
        try:
            while line := await self.reader.readline():
                found = ANSWER.match(line)
                if found is not None:
                    self.waiting.pop(int(found[2])).set_result(found[1])
        except ConnectionError:
            pass
        self.ended = True
        for future in self.waiting.values():
            future.cancel()

    async def request(self, method: str, params: dict[str, Any]) -> bytes:
        """Send a request and return its answer."""
        self.number += 1
        future = asyncio.get_running_loop().create_future()
        self.waiting[self.number] = future
        message = {"id": self.number, "method": method, "params": params}
        async with asyncio.timeout(TIMEOUT_SECONDS):
            await self.post(message)
            answer: bytes = await future
            return answer

    async def post(self, message: dict[str, Any]) -> None:
        """Send a message on a new connection."""
        reader, writer = await self.service.connect()
        body = json.dumps({"jsonrpc": "2.0", **message}).encode()
        writer.write(self.service.write("POST", self.path, body))
        status = await reader.readline()
        writer.close()
        if not status.startswith(b"HTTP/1.1 202 "):
            raise ConnectionError(f"POST {status.decode()[9:].strip() or 'reset'}")

    async def call_every(self, seconds: float, until: float, tally: Tally) -> None:
        """Call the cheapest tool again and again, and count what comes of it."""
        params = {"name": "health_check", "arguments": {}}
        while time.monotonic() + seconds < until:
            begun = time.monotonic()
            tally.outcomes[await self._call(params)] += 1
            tally.seconds.append(time.monotonic() - begun)
            await asyncio.sleep(max(0.0, begun + seconds - time.monotonic()))

    async def _call(self, params: dict[str, Any]) -> str:
        try:
            answer = await self.request("tools/call", params)
        except (TimeoutError, asyncio.CancelledError):
            return "lost"
        except ConnectionError as error:
            return str(error)
        return "answered" if b'"isError":false' in answer else "answered with an error"


async def open_session(service: Service) -> Session:
    """Open a stream and shake hands over it.

    Raises:
        NoRoomError: The hub refused the stream.
    """
    path = "/sse"
    for _ in range(MOST_TURNS):
        reader, writer = await service.connect()
        writer.write(service.write("GET", path))
        head = await reader.readuntil(b"\r\n\r\n")
        status = int(head.split(b" ", 2)[1])
        if status == STREAMS:
            return await _begin(service, reader, writer)
        if status != TURNED:
            body = await reader.read()
            writer.close()
            raise NoRoomError(f"{status} {body.decode()}")
        writer.close()
        service.turned += 1
        found = re.search(rb"location: (\S+)", head, re.IGNORECASE)
        assert found is not None
        path = found[1].decode()
    raise NoRoomError(f"redirected {MOST_TURNS} times")


async def _begin(
    service: Service, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
) -> Session:
    while (found := ENDPOINT.match(await reader.readline())) is None:
        pass
    session = Session(service, reader, writer, found[1].decode())
    listening = asyncio.create_task(session.listen())
    LISTENING.add(listening)
    listening.add_done_callback(LISTENING.discard)
    await session.request("initialize", INITIALIZE)
    await session.post({"method": "notifications/initialized"})
    return session


LISTENING: set[asyncio.Task[None]] = set()
