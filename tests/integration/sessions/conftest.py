"""Replicas on addresses of their own, behind a proxy that has no memory."""

import asyncio
import json
import os
import queue
import signal
import socket
import subprocess
import sys
import threading
import time
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import pytest_asyncio
from fastmcp import Client
from fastmcp.client.transports import SSETransport, StreamableHttpTransport

HERE = Path(__file__).parent
FIRST_ADDRESS = 2
MODES = {"modern": "2026-07-28"}
MANAGEMENT_OFFSET = 20_000


def find_free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Nursery:
    """The process that forks replicas, and how they ended."""

    def __init__(self, process):
        self.process = process
        self.born = queue.Queue()
        self.codes = {}

    def listen(self):
        for line in self.process.stdout:
            pid, *code = map(int, line.split())
            if code:
                self.codes[pid] = code[0]
            else:
                self.born.put(pid)

    async def fork(self, settings):
        self.process.stdin.write(json.dumps(settings) + "\n")
        self.process.stdin.flush()
        return await asyncio.to_thread(self.born.get, timeout=60)


@pytest.fixture(scope="session")
def nursery():
    """One process that has loaded the server, for all tests."""
    with subprocess.Popen(
        [sys.executable, str(HERE / "replica.py")],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        nursery = Nursery(process)
        listening = threading.Thread(target=nursery.listen)
        listening.start()
        yield nursery
        process.stdin.close()
        listening.join()


@dataclass
class Replica:
    """A running replica."""

    address: str
    uid: str
    pid: int
    nursery: Nursery

    @property
    def is_running(self):
        return self.pid not in self.nursery.codes

    async def wait(self, seconds=30):
        """Wait for the process to end; returns its exit code."""
        async with asyncio.timeout(seconds):
            while self.is_running:  # noqa: ASYNC110 -- a thread learns of it
                await asyncio.sleep(0.01)
        return self.nursery.codes[self.pid]

    def kill(self):
        os.kill(self.pid, signal.SIGKILL)

    def terminate(self):
        os.kill(self.pid, signal.SIGTERM)


@dataclass
class RoundRobin:
    """A TCP proxy that sends each connection to the next replica.

    `order` is the list of addresses in turn; a test may change it at any time.
    """

    target_port: int
    port: int = 0
    order: list[str] = field(default_factory=list)
    reached: list[str] = field(default_factory=list)
    connections: set[asyncio.Task] = field(default_factory=set)

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}"

    async def serve(self, reader, writer):
        task = asyncio.current_task()
        self.connections.add(task)
        try:
            await self.join(reader, writer)
        except (OSError, asyncio.CancelledError):
            writer.transport.abort()
        finally:
            self.connections.discard(task)

    async def join(self, reader, writer):
        address = self.order.pop(0)
        self.order.append(address)
        self.reached.append(address)
        inner_reader, inner_writer = await asyncio.open_connection(
            address, self.target_port
        )
        try:
            outward = asyncio.create_task(pump(inner_reader, writer))
            inward = asyncio.create_task(pump(reader, inner_writer))
            await asyncio.wait({outward, inward}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in (outward, inward):
                task.cancel()
            await asyncio.gather(outward, inward, return_exceptions=True)
            for one in (inner_writer, writer):
                one.close()
            await asyncio.gather(
                inner_writer.wait_closed(), writer.wait_closed(), return_exceptions=True
            )

    async def cut(self):
        """Reset every connection."""
        connections = list(self.connections)
        for task in connections:
            task.cancel()
        await asyncio.gather(*connections, return_exceptions=True)

    @asynccontextmanager
    async def running(self):
        server = await asyncio.start_server(self.serve, "127.0.0.1", 0)
        self.port = server.sockets[0].getsockname()[1]
        try:
            yield self
        finally:
            server.close()
            await self.cut()


async def pump(reader, writer):
    """Pass bytes on until one side ends, a reset included."""
    while chunk := await reader.read(65536):
        writer.write(chunk)
        await writer.drain()


@dataclass
class Hub:
    """Several replicas behind a proxy."""

    folder: Path
    port: int
    proxy: RoundRobin
    nursery: Nursery
    replicas: list[Replica] = field(default_factory=list)
    started: list[Replica] = field(default_factory=list)

    @property
    def members(self):
        return self.folder / "members"

    def publish(self, replicas):
        """Say which replicas the headless Service names and the Service routes to."""
        addresses = [replica.address for replica in replicas]
        self.members.write_text("\n".join(addresses))
        self.proxy.order[:] = addresses

    async def start(self, stack, **settings):
        """Start one more replica, and publish it."""
        number = len(self.started)
        address = settings.pop("address", f"127.0.0.{FIRST_ADDRESS + number}")
        uid = settings.pop("uid", f"uid-{number}")
        given = {
            "address": address,
            "port": self.port,
            "uid": uid,
            "folder": str(self.folder),
            "management_port": MANAGEMENT_OFFSET + self.port % 10_000,
            **settings,
        }
        pid = await self.nursery.fork(given)
        replica = Replica(address, uid, pid, self.nursery)
        stack.push_async_callback(stop, replica)
        self.replicas.append(replica)
        self.started.append(replica)
        return replica

    def at(self, replica):
        """Return a replica's own URL."""
        return f"http://{replica.address}:{self.port}"

    def management_at(self, replica):
        """Return the URL of a replica's second listener."""
        return f"http://{replica.address}:{MANAGEMENT_OFFSET + self.port % 10_000}"

    def client(self, transport="http", name="ann", **kwargs):
        """Make a client that knows only the proxy."""
        base = self.proxy.url
        headers = {"Authorization": f"Bearer token-{name}"}
        if transport == "sse":
            return Client(SSETransport(f"{base}/sse", headers=headers), **kwargs)
        kwargs["mode"] = MODES.get(transport, "legacy")
        return Client(StreamableHttpTransport(f"{base}/mcp", headers=headers), **kwargs)


async def stop(replica):
    if replica.is_running:
        replica.kill()
    await replica.wait()


async def wait_until_listening(address, port, seconds=60.0):
    deadline = time.monotonic() + seconds
    while True:
        try:
            _, writer = await asyncio.open_connection(address, port)
        except OSError:
            if time.monotonic() > deadline:
                raise
            await asyncio.sleep(0.02)
        else:
            writer.close()
            return


def write_files(folder):
    """Write what Secrets would bring into the pods."""
    for name, content in {
        "keys/current": "a key that all replicas share",
        "tokens/ann": "token-ann",
        "tokens/bob": "token-bob",
        "members": "",
    }.items():
        path = folder / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(content)


@asynccontextmanager
async def running_hub(nursery, folder, count, **settings):
    write_files(folder)
    port = find_free_port()
    async with AsyncExitStack() as stack:
        proxy = await stack.enter_async_context(RoundRobin(port).running())
        hub = Hub(folder, port, proxy, nursery)
        for _ in range(count):
            await hub.start(stack, **settings)
        for replica in hub.replicas:
            await wait_until_listening(replica.address, port)
        hub.publish(hub.replicas)
        yield hub


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def shared_hub(nursery, tmp_path_factory):
    """Two replicas for all tests of a module that leave them as they are."""
    async with running_hub(nursery, tmp_path_factory.mktemp("hub"), 2) as hub:
        yield hub


@pytest.fixture
async def hub(nursery, tmp_path):
    """Two replicas that a test may kill."""
    async with running_hub(nursery, tmp_path, 2) as hub:
        yield hub


@pytest.fixture
async def stateless_hub(nursery, tmp_path):
    """Two replicas that keep no sessions on `/mcp`."""
    async with running_hub(nursery, tmp_path, 2, stateful=False) as hub:
        yield hub
