"""What a hub holds in memory: idle, and with many sessions open."""

import asyncio
import json
import time
import urllib.request
from typing import Any

from benchmarks.hub import TOKEN, HubFolder, running_hub
from benchmarks.processes import ServerProcess
from benchmarks.sessions import HubAccess, open_sessions

SETTLE_SECONDS = 3.0
CONNECT_SECONDS = 60.0


def measure_idle(hub: HubFolder) -> float:
    """Return the resident MiB of a hub all of whose backends are connected."""
    with running_hub(hub) as server:
        _wait_until_connected(hub)
        return _settled(server)


def measure_sessions(hub: HubFolder, count: int) -> float:
    """Return how many MiB that many sessions take."""
    with running_hub(hub) as server:
        _wait_until_connected(hub)
        idle = _settled(server)
        return asyncio.run(_measure_open(hub, server, count)) - idle


async def _measure_open(hub: HubFolder, server: ServerProcess, count: int) -> float:
    async with open_sessions(HubAccess(hub.port, TOKEN), count):
        await asyncio.sleep(SETTLE_SECONDS)
        sessions = await asyncio.to_thread(_read_status, hub)
        if sessions["sessions"] != count:
            raise RuntimeError(f"the hub counts {sessions['sessions']} sessions")
        return server.rss_mebibytes


def _wait_until_connected(hub: HubFolder) -> None:
    deadline = time.monotonic() + CONNECT_SECONDS
    while True:
        backends = _read_status(hub)["backends"]
        if all(backend["state"] == "Connected" for backend in backends):
            return
        if time.monotonic() > deadline:
            raise RuntimeError(f"not every backend is connected: {backends}")
        time.sleep(0.2)


def _settled(server: ServerProcess) -> float:
    time.sleep(SETTLE_SECONDS)
    return server.rss_mebibytes


def _read_status(hub: HubFolder) -> dict[str, Any]:
    url = f"http://127.0.0.1:{hub.management_port}/status"
    with urllib.request.urlopen(url, timeout=10) as response:
        return dict(json.load(response))
