"""A hub server on loopback: in the test's own event loop, or as a process.

In the event loop a hub starts in a tenth of a second and can be looked into; as a
process it is what a user runs, logs and signals included.
"""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import yaml
from fastmcp import Client
from fastmcp.client.transports import SSETransport, StreamableHttpTransport

from mcphub_server.app import build_hub
from mcphub_server.config.load import load_hub_config
from mcphub_server.config.runtime import RuntimeSettings
from mcphub_server.lifespan import Hub, Ports, listening
from tests.support.waiting import pauses
from tests.support.websocket_client import WebSocketTransport
from tools.ports import reserve_ports

TOKEN = "secret-of-alice-1"
START_SECONDS = 100.0

NO_RATE_LIMIT = {"requestsPerSecond": 100_000, "burst": 100_000}
"""For hubs whose tests are about something else: a quick machine makes more calls in a
second than the default allows."""


@dataclass(frozen=True, slots=True)
class HubFiles:
    """What the operator would project into a pod."""

    folder: Path
    config: Mapping[str, Any]
    secrets: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    tokens: Mapping[str, str] = field(default_factory=lambda: {"alice": TOKEN})
    live: Mapping[str, Any] | None = None

    def write(self) -> None:
        """Write or rewrite all files."""
        self.folder.mkdir(parents=True, exist_ok=True)
        (self.folder / "hub.yaml").write_text(yaml.safe_dump(self._build_config()))
        if self.live is not None:
            self.write_live(yaml.safe_dump(dict(self.live)))
        for backend, files in self.secrets.items():
            write_files(self.folder / "secrets" / backend, files)
        write_files(self.folder / "tokens", self.tokens)

    def _build_config(self) -> dict[str, Any]:
        limits = {**NO_RATE_LIMIT, **self.config.get("limits", {})}
        return {**self.config, "limits": limits}

    def write_live(self, text: str) -> None:
        """Replace the file of tools and access rules, as a kubelet does."""
        fresh = self.folder / ".live.yaml"
        fresh.write_text(text)
        fresh.rename(self.folder / "live.yaml")

    @property
    def environment(self) -> dict[str, str]:
        """The variables that name them."""
        return {
            "MCPHUB_CONFIG": str(self.folder / "hub.yaml"),
            "MCPHUB_SECRETS_DIR": str(self.folder / "secrets"),
            "MCPHUB_TOKENS_DIR": str(self.folder / "tokens"),
            "MCPHUB_KEYS_DIR": str(self.folder / "keys"),
            "MCPHUB_HOST": "127.0.0.1",
            "MCPHUB_DRAIN_LINGER_SECONDS": "0.2",
        }


def write_files(folder: Path, files: Mapping[str, str]) -> None:
    """Write one file for each entry."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        (folder / name).write_text(content)


@dataclass(frozen=True, slots=True)
class Address:
    """Where a running hub is."""

    port: int
    management_port: int

    @property
    def url(self) -> str:
        """The base URL for MCP clients."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def management(self) -> str:
        """The base URL of the second listener."""
        return f"http://127.0.0.1:{self.management_port}"

    def client(
        self, transport: str = "http", token: str | None = TOKEN, **options: Any
    ) -> Client[Any]:
        """Make the real client, for `http`, `sse` or `websocket`."""
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        if transport == "websocket":
            return Client(WebSocketTransport(self.url, headers), **options)
        if transport == "sse":
            return Client(SSETransport(f"{self.url}/sse", headers=headers), **options)
        endpoint = StreamableHttpTransport(f"{self.url}/mcp", headers=headers)
        return Client(endpoint, **options)


@dataclass(frozen=True, slots=True)
class LoopHub(Address):
    """A hub in the test's event loop."""

    hub: Hub


@asynccontextmanager
async def hub_in_loop(
    files: HubFiles,
    clock: Callable[[], float] = time.monotonic,
    port: int = 0,
    **settings: Any,
) -> AsyncIterator[LoopHub]:
    """Serve a hub in this event loop until the block ends; port 0 is a free one."""
    files.write()
    runtime = RuntimeSettings(
        config=files.folder / "hub.yaml",
        secrets_dir=files.folder / "secrets",
        tokens_dir=files.folder / "tokens",
        keys_dir=files.folder / "keys",
        host="127.0.0.1",
        port=port,
        management_port=0,
        probe_interval_seconds=0.3,
        **settings,
    )
    hub = build_hub(load_hub_config(runtime), runtime, clock=clock)
    started: asyncio.Future[Ports] = asyncio.get_running_loop().create_future()
    stop = asyncio.Event()
    # a task of its own: pytest ends a fixture in another task than it began in
    task = asyncio.create_task(serve_until(hub, started, stop))
    either: list[asyncio.Future[Any]] = [task, started]
    await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
    if task.done():
        await task
    ports = await started
    try:
        yield LoopHub(ports.mcp, ports.management, hub)
    finally:
        stop.set()
        await task
        # Transports that were told to close do so in the next turns of the loop.
        await asyncio.sleep(0)


async def serve_until(
    hub: Hub, started: asyncio.Future[Ports], stop: asyncio.Event
) -> None:
    """Serve until told to stop."""
    async with listening(hub) as ports:
        started.set_result(ports)
        await stop.wait()


@dataclass(frozen=True, slots=True)
class HubProcess(Address):
    """A hub as a user runs it."""

    process: subprocess.Popen[bytes]
    log: Path

    def wait_until_ready(self) -> None:
        """Return once it serves; raise with its log if it does not."""
        deadline, pause = time.monotonic() + START_SECONDS, pauses()
        with httpx.Client(base_url=self.management, timeout=100) as http:
            while time.monotonic() < deadline and self.process.poll() is None:
                with suppress(httpx.TransportError):
                    if http.get("/health/ready").is_success:
                        return
                time.sleep(next(pause))
        raise RuntimeError(f"The hub did not start:\n{self.log.read_text()[-3000:]}")


@contextmanager
def hub_process(files: HubFiles, **environment: str) -> Iterator[HubProcess]:
    """Run a hub as a process until the block ends."""
    files.write()
    port, management_port = reserve_ports(2)
    log = files.folder / "server.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "mcphub_server"],
            stdout=output,
            stderr=output,
            env={
                **os.environ,
                **files.environment,
                "MCPHUB_PORT": str(port),
                "MCPHUB_MANAGEMENT_PORT": str(management_port),
                **environment,
            },
        )
    server = HubProcess(port, management_port, process, log)
    try:
        server.wait_until_ready()
        yield server
    finally:
        if process.poll() is None:
            process.terminate()
            process.wait(timeout=START_SECONDS)
