"""A TCP balancer without affinity: each connection goes to the next replica."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field


@dataclass
class Balancer:
    """Sends connections to addresses in turn, all on one port.

    `order` is the list of addresses in turn; a test may change it at any time.
    """

    target_port: int
    port: int = 0
    order: list[str] = field(default_factory=list)
    connections: set[asyncio.Task[None]] = field(default_factory=set)
    watched: list[tuple[bytes, asyncio.Event]] = field(default_factory=list)

    @property
    def url(self) -> str:
        """The base URL for MCP clients."""
        return f"http://127.0.0.1:{self.port}"

    def watch(self, words: bytes) -> asyncio.Event:
        """Return an event that is set when these words pass on to a client."""
        passed = asyncio.Event()
        self.watched.append((words, passed))
        return passed

    def _note(self, chunk: bytes) -> None:
        for words, passed in self.watched:
            if words in chunk:
                passed.set()

    async def serve(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        """Handle one connection."""
        task = asyncio.current_task()
        assert task is not None
        self.connections.add(task)
        try:
            await self._join(reader, writer)
        except (OSError, asyncio.CancelledError):
            writer.transport.abort()
        finally:
            self.connections.discard(task)

    async def _join(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        address = self.order.pop(0)
        self.order.append(address)
        inner, outer = await asyncio.open_connection(address, self.target_port)
        ways = {
            asyncio.create_task(pump(inner, writer, self._note)),
            asyncio.create_task(pump(reader, outer)),
        }
        try:
            await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for way in ways:
                way.cancel()
            await asyncio.gather(*ways, return_exceptions=True)
            for each in (outer, writer):
                each.close()
            closing = (outer.wait_closed(), writer.wait_closed())
            await asyncio.gather(*closing, return_exceptions=True)

    async def cut(self) -> None:
        """Reset every connection."""
        connections = list(self.connections)
        for task in connections:
            task.cancel()
        await asyncio.gather(*connections, return_exceptions=True)

    @asynccontextmanager
    async def running(self) -> AsyncIterator["Balancer"]:
        """Listen until the block ends."""
        server = await asyncio.start_server(self.serve, "127.0.0.1", 0)
        self.port = server.sockets[0].getsockname()[1]
        try:
            yield self
        finally:
            server.close()
            await self.cut()


async def pump(
    reader: asyncio.StreamReader,
    writer: asyncio.StreamWriter,
    note: Callable[[bytes], None] | None = None,
) -> None:
    """Pass bytes on until one side ends, a reset included."""
    while chunk := await reader.read(65536):
        writer.write(chunk)
        await writer.drain()
        if note is not None:
            note(chunk)
