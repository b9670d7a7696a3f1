"""A hub of several replicas: their files, their addresses, and the way to them."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx2
from fastmcp import Client
from fastmcp.client.transports import SSETransport, StreamableHttpTransport

from tests.support.replicas.balancer import Balancer
from tests.support.replicas.fork_server import ForkServer, Replica
from tests.support.websocket_client import WebSocketTransport
from tools.ports import reserve_ports

FIRST_ADDRESS = 2
MODES = {"modern": "2026-07-28"}
WAIT_SECONDS = 100.0
STEP_SECONDS = 0.02

FILES = {
    "keys/current": "a key that all replicas share",
    "keys/state": "another key that all replicas share",
    "tokens/ann": "token-ann-4711-x",
    "tokens/bob": "token-bob-4711-x",
    "members": "",
}
"""What Secrets would bring into the pods, and what DNS would say."""


@dataclass
class ReplicatedHub:
    """Several replicas behind a balancer."""

    folder: Path
    port: int
    management_port: int
    proxy: Balancer
    fork_server: ForkServer
    settings: Mapping[str, Any]
    replicas: list[Replica] = field(default_factory=list)
    started: list[Replica] = field(default_factory=list)

    @property
    def url(self) -> str:
        """The base URL for MCP clients, which know only the balancer."""
        return self.proxy.url

    @property
    def members(self) -> Path:
        """The file with the addresses that the headless Service names."""
        return self.folder / "members"

    @property
    def gate(self) -> str:
        """The file that gated tools wait for."""
        return str(self.folder / "gate")

    def open_gate(self, gate: str = "") -> None:
        """Let calls of gated tools end that wait for this file."""
        Path(gate or self.gate).touch()

    def publish(self, replicas: list[Replica]) -> None:
        """Say which replicas the headless Service names and the Service routes to."""
        addresses = [replica.address for replica in replicas]
        self.members.write_text("\n".join(addresses))
        self.proxy.order[:] = addresses

    async def start(self, stack: AsyncExitStack, **changes: Any) -> Replica:
        """Start one more replica; it is not published yet."""
        number = len(self.started)
        given = {
            "address": f"127.0.0.{FIRST_ADDRESS + number}",
            "port": self.port,
            "uid": f"uid-{number}",
            "folder": str(self.folder),
            "management_port": self.management_port,
            **self.settings,
            **changes,
        }
        pid = await self.fork_server.fork(given)
        replica = Replica(given["address"], given["uid"], pid, self.fork_server)
        stack.push_async_callback(replica.stop)
        self.replicas.append(replica)
        self.started.append(replica)
        return replica

    def at(self, replica: Replica) -> str:
        """Return a replica's own URL."""
        return f"http://{write_host(replica.address)}:{self.port}"

    def management_at(self, replica: Replica) -> str:
        """Return the URL of a replica's second listener."""
        return f"http://{write_host(replica.address)}:{self.management_port}"

    async def wait_for_calls(self, replica: Replica, number: int) -> None:
        """Return once that many calls run there."""
        status = f"{self.management_at(replica)}/status"
        await wait_for_answer(status, lambda it: bool(it.json()["inFlight"] == number))

    async def wait_until_draining(self, replica: Replica) -> None:
        """Return once the replica takes no new work."""
        ready = f"{self.management_at(replica)}/health/ready"
        await wait_for_answer(ready, lambda it: bool(it.status_code == 503))

    def client(
        self, transport: str = "http", name: str = "ann", **options: Any
    ) -> Client[Any]:
        """Make a client that knows only the balancer."""
        headers = {"Authorization": f"Bearer token-{name}-4711-x"}
        if transport == "sse":
            return Client(SSETransport(f"{self.url}/sse", headers=headers), **options)
        options.setdefault("mode", MODES.get(transport, "legacy"))
        if transport == "websocket":
            return Client(WebSocketTransport(self.url, headers), **options)
        endpoint = StreamableHttpTransport(f"{self.url}/mcp", headers=headers)
        return Client(endpoint, **options)


def write_host(address: str) -> str:
    """Return an address as it stands in a URL."""
    return f"[{address}]" if ":" in address else address


async def wait_for_answer(
    url: str, is_awaited: Callable[[httpx2.Response], bool]
) -> None:
    """Ask again and again until the answer is the right one."""
    async with httpx2.AsyncClient(timeout=100) as http, asyncio.timeout(WAIT_SECONDS):
        while not is_awaited(await http.get(url)):  # noqa: ASYNC110 -- another process
            await asyncio.sleep(STEP_SECONDS)


async def wait_until_listening(address: str, port: int, seconds: float = 60.0) -> None:
    """Return once a connection is taken."""
    deadline = time.monotonic() + seconds
    while True:
        try:
            _, writer = await asyncio.open_connection(address, port)
        except OSError:
            if time.monotonic() > deadline:
                raise
            await asyncio.sleep(STEP_SECONDS)
        else:
            writer.close()
            return


@asynccontextmanager
async def running_hub(
    fork_server: ForkServer, folder: Path, count: int, **settings: Any
) -> AsyncIterator[ReplicatedHub]:
    """Run that many replicas; `settings` are `replica.Settings`."""
    for name, content in FILES.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)
    port, management_port = reserve_ports(2)
    async with AsyncExitStack() as stack:
        proxy = await stack.enter_async_context(Balancer(port).running())
        hub = ReplicatedHub(folder, port, management_port, proxy, fork_server, settings)
        for _ in range(count):
            await hub.start(stack)
        for replica in hub.replicas:
            await wait_until_listening(replica.address, port)
        hub.publish(hub.replicas)
        yield hub
