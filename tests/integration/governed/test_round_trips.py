"""What identity costs on the wire: nothing but a longer first message."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

from tests.support.postgres import PostgresServer

from .conftest import OpenHub
from .test_declared_tools import call
from .test_identity import ROLES

HEAD_BYTES = 5
AWAITED = b"QSH"
"""Query, Sync and Flush: the messages after which a client waits for the server."""


@dataclass
class Recorder:
    """Passes connections on, and keeps the messages that clients send."""

    target_port: int
    port: int = 0
    sent: list[list[bytes]] = field(default_factory=list)

    def find_transaction(self, marker: bytes) -> list[bytes]:
        """Return the messages of the transaction in which a text was sent."""
        for messages in self.sent:
            for number, message in enumerate(messages):
                if marker not in message:
                    continue
                before = reversed(range(number))
                first = next(n for n in before if b"BEGIN" in messages[n])
                after = range(number, len(messages))
                last = next(n for n in after if b"ROLLBACK" in messages[n])
                return messages[first : last + 1]
        raise AssertionError(f"{marker!r} was not sent")

    async def serve(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        inner, outer = await asyncio.open_connection("127.0.0.1", self.target_port)
        with suppress(OSError, asyncio.IncompleteReadError):
            await asyncio.gather(self._keep(reader, outer), pass_on(inner, writer))
        for each in (outer, writer):
            each.close()

    async def _keep(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        messages: list[bytes] = []
        self.sent.append(messages)
        size = await reader.readexactly(4)  # the first message has no type
        writer.write(size + await reader.readexactly(int.from_bytes(size) - 4))
        while True:
            head = await reader.readexactly(HEAD_BYTES)
            body = await reader.readexactly(int.from_bytes(head[1:]) - 4)
            messages.append(head[:1] + body)
            writer.write(head + body)


async def pass_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while data := await reader.read(65536):
        writer.write(data)


@asynccontextmanager
async def recording(target_port: int) -> AsyncIterator[Recorder]:
    recorder = Recorder(target_port)
    server = await asyncio.start_server(recorder.serve, "127.0.0.1", 0)
    recorder.port = server.sockets[0].getsockname()[1]
    async with server:
        yield recorder


async def count_round_trips(
    open_hub: OpenHub, recorder: Recorder, name: str, **backend: Any
) -> int:
    """Return the round trips of a statement that the hub sees for the first time."""
    options = {"port": recorder.port, "sslMode": "disable", **backend}
    async with open_hub(backend=options, folder=name) as hub:
        for number in (1, 2):
            sql = f"SELECT '{name} {number}' FROM desk.tickets"  # noqa: S608
            answer = await call(hub, "db_query", "acme", sql=sql)
            assert not answer.is_error
    sent = recorder.find_transaction(f"{name} 2".encode())
    return sum(message[:1] in AWAITED for message in sent)


async def test_identity_costs_no_round_trip(
    open_hub: OpenHub, shop: PostgresServer
) -> None:
    async with recording(shop.port) as recorder:
        plain = await count_round_trips(open_hub, recorder, "plain")
        bound = await count_round_trips(open_hub, recorder, "bound", identity=ROLES)

    assert 0 < bound <= plain
