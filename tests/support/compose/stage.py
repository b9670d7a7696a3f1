"""Runs examples/compose in containers, and uses it while parts of it fail.

Started by `unshare --net --mount`: the daemon, its networks and the published ports
are this program's own. The files are the example's, unchanged; docker-compose is
Debian's. Grafana is left out: no package registry has it. Prints a report as JSON on
standard output.
"""

import asyncio
import dataclasses
import json
import os
import shutil
import signal
import sys
import urllib.parse
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx2
from fastmcp import Client
from fastmcp.client.transports import StreamableHttpTransport

from tests.support.compose.engine import (
    Docker,
    run,
    running_docker,
    unpack_docker,
)
from tests.support.websocket_client import WebSocketTransport
from tools.cluster.archive import read_archive
from tools.project import ROOT

EXAMPLE = ROOT / "examples" / "compose"
CLIENT = "172.28.0.1"
"""What containers see of a client on their own computer."""
URLS = {"2025-11-25": "http://127.0.0.1", "2026-07-28": "http://127.0.0.1:8080"}
PROMETHEUS = "http://127.0.0.1:9090"
HUBS = ("hub-1", "hub-2", "hub-3")
SERVICES = (*HUBS, "nginx", "postgres", "prometheus")
FOLDER = Path("/tmp/compose")  # a file system of this program's own
MODES = tuple(URLS)
CLIENTS = 2
CALLS = 5
"""Of each client, in each phase."""

WAIT_SECONDS = 300.0
STEP_SECONDS = 0.05
QUICK = "SELECT count(*) FROM customers"
SLOW = "SELECT count(*) FROM generate_series(1, 300000)"
"""Lasts longer than the moment after which a response becomes a stream."""


@dataclass
class Report:
    """What was seen."""

    calls: dict[str, int] = field(default_factory=dict)
    errors: list[str] = field(default_factory=list)
    reconnects: int = 0
    restarts: int = 0
    returned: bool = False
    up: dict[str, str] = field(default_factory=dict)
    empty_panels: list[str] = field(default_factory=list)
    panels: int = 0
    client_addresses: list[str] = field(default_factory=list)


def set_up() -> None:
    """Make the file systems and the loopback of this program's own."""
    for place in ("/tmp", "/run"):
        run("mount", "-t", "tmpfs", "tmpfs", place)
    run("ip", "link", "set", "lo", "up")
    shutil.copytree(EXAMPLE, FOLDER, ignore=shutil.ignore_patterns("secrets"))
    run("sh", FOLDER / "prepare")


@dataclass(frozen=True, slots=True)
class Compose:
    """The containers of the example."""

    docker: Docker

    def run(self, *words: str) -> str:
        """Run docker-compose with the example's file."""
        files = ("--project-name", "trial", "--file", FOLDER / "compose.yml")
        return run(
            "docker-compose", *files, *words, environment=self.docker.environment
        )

    def inspect(self, service: str, path: str) -> str:
        """Return a field of a service's container."""
        (container,) = self.run("ps", "--quiet", service).split()
        return self.docker.run(
            "inspect", "--format", f"{{{{{path}}}}}", container
        ).strip()

    async def wait_healthy(self, *services: str) -> None:
        """Return once the containers' own checks pass."""
        for service in services:

            async def is_healthy(service: str = service) -> bool:
                path = ".State.Health.Status"
                state = await asyncio.to_thread(self.inspect, service, path)
                return state == "healthy"

            await wait_for(f"a healthy {service}", is_healthy)

    async def do(self, *words: str) -> None:
        """Run docker-compose beside the clients."""
        await asyncio.to_thread(self.run, *words)


async def ask(url: str, **options: Any) -> httpx2.Response | None:
    """Return a response, None without one."""
    with suppress(httpx2.TransportError):
        async with httpx2.AsyncClient(timeout=10) as http:
            return await http.get(url, **options)
    return None


async def wait_for(what: str, is_there: Callable[[], Any]) -> None:
    """Return once a condition holds, sync or async."""
    try:
        async with asyncio.timeout(WAIT_SECONDS):
            while not await is_there():  # noqa: ASYNC110 -- other processes
                await asyncio.sleep(STEP_SECONDS)
    except TimeoutError:
        raise RuntimeError(f"still waiting for {what}") from None


class Users:
    """Clients that call without a pause, and note what fails."""

    def __init__(self, token: str, report: Report) -> None:
        self._headers = {"Authorization": f"Bearer {token}"}
        self._report = report
        self._ended = asyncio.Event()

    @asynccontextmanager
    async def calling(self) -> AsyncIterator[None]:
        """Call until the block ends."""
        async with asyncio.TaskGroup() as group:
            for mode in MODES:
                for number in range(CLIENTS):
                    group.create_task(self._use(f"{mode} {number}", mode))
            group.create_task(self._use_websocket())
            yield
            self._ended.set()

    async def wait(self) -> None:
        """Return after some more calls of each client."""
        reached = {name: done + CALLS for name, done in self._report.calls.items()}

        async def is_reached() -> bool:
            calls = self._report.calls
            expected = len(MODES) * CLIENTS + 1
            return len(calls) == expected and all(
                done >= reached.get(name, CALLS) for name, done in calls.items()
            )

        await wait_for("the clients", is_reached)

    async def _use(self, name: str, mode: str) -> None:
        transport = StreamableHttpTransport(f"{URLS[mode]}/mcp", headers=self._headers)
        kind = "legacy" if mode == MODES[0] else mode
        async with Client(transport, mode=kind, timeout=60) as client:
            while not self._ended.is_set():
                try:
                    await self._call(name, client)
                except Exception as error:  # noqa: BLE001 -- any is a lost call
                    self._report.errors.append(
                        f"{name}: {type(error).__name__} {error}"
                    )

    async def _call(self, name: str, client: Client[Any]) -> None:
        done = self._report.calls.get(name, 0)
        statement = SLOW if done % 5 == 0 else QUICK
        await client.call_tool("postgres_query", {"sql": statement})
        self._report.calls[name] = done + 1

    async def _use_websocket(self) -> None:
        """Connect again whenever the connection ends, as its clients do."""
        while not self._ended.is_set():
            with suppress(Exception):
                transport = WebSocketTransport(URLS[MODES[0]], self._headers)
                async with Client(transport, timeout=20) as client:
                    while not self._ended.is_set():
                        await self._call("websocket", client)
            self._report.reconnects += not self._ended.is_set()


async def query(expression: str) -> list[Any]:
    """Return what Prometheus knows."""
    words = urllib.parse.urlencode({"query": expression})
    answer = await ask(f"{PROMETHEUS}/api/v1/query?{words}")
    if answer is None or not answer.is_success:
        return []
    found: list[Any] = answer.json()["data"]["result"]
    return found


async def check_monitoring(report: Report) -> None:
    """Look at the targets, and at every expression of the dashboards."""

    async def is_up() -> bool:
        found = await query('up{job="mcphub"} == 1')
        return len(found) == 3

    await wait_for("the targets of Prometheus", is_up)
    for each in await query('up{job="mcphub"}'):
        report.up[each["metric"]["instance"]] = each["value"][1]
    for path in (EXAMPLE / "grafana" / "dashboards").glob("*.json"):
        for panel in json.loads(path.read_text())["panels"]:
            for target in panel.get("targets", ()):
                report.panels += 1
                expression = target["expr"].replace("$__rate_interval", "1m")
                if not await has_data(expression):
                    report.empty_panels.append(f"{panel['title']}: {expression}")


async def has_data(expression: str) -> bool:
    """Return whether an expression has data, at the latest after two scrapes."""

    async def found() -> bool:
        return bool(await query(expression))

    with suppress(RuntimeError):
        await wait_for(expression, found)
        return True
    return False


def read_addresses(compose: Compose) -> list[str]:
    """Return the client addresses of all audit lines."""
    found = set()
    for line in compose.run("logs", "--no-color", *HUBS).splitlines():
        with suppress(json.JSONDecodeError):
            event = json.loads(line.partition("| ")[2])
            if event.get("event") == "tool call":
                found.add(event["address"])
    return sorted(found)


async def count_calls(address: str) -> float:
    """Return how many tool calls an instance has answered since its start."""
    answer = await ask(f"http://{address}:8081/metrics")
    text = answer.text if answer is not None else ""
    return sum(
        float(line.rpartition(" ")[2])
        for line in text.splitlines()
        if line.startswith("mcp_server_operation_duration_seconds_count")
    )


async def rehearse(archives: Mapping[str, str], report: Report) -> None:
    """Start everything; reload nginx, kill one instance and stop one, under load.

    Args:
        archives: files of the images, by their names in compose.yml.
        report: what is seen goes in here.
    """
    set_up()
    with running_docker(unpack_docker(), Path("/run")) as docker:
        compose = Compose(docker)
        await wait_for("the daemon", lambda: answers(docker))
        for name, path in archives.items():
            docker.load(name, read_archive(Path(path)))
        try:
            await rehearse_on(compose, report)
        except BaseException:
            print(compose.run("logs", "--tail=40"), file=sys.stderr)
            raise
        finally:
            compose.run("down", "--volumes")


async def answers(docker: Docker) -> bool:
    """Tell whether the daemon answers."""
    with suppress(RuntimeError):
        return bool(docker.run("info"))
    return False


async def rehearse_on(compose: Compose, report: Report) -> None:
    """Do it with these containers."""
    compose.run("up", "--detach", "--no-build", *SERVICES)
    await compose.wait_healthy(*SERVICES)
    token = (FOLDER / "secrets" / "tokens" / "default").read_text()
    users = Users(token, report)
    async with users.calling():
        await users.wait()
        nginx = ("nginx", "-c", "/etc/mcphub/nginx.conf", "-s", "reload")
        await compose.do("exec", "-T", "nginx", *nginx)
        await users.wait()
        os.kill(int(compose.inspect("hub-1", ".State.Pid")), signal.SIGKILL)
        await users.wait()
        await compose.wait_healthy("hub-1")
        report.restarts = int(compose.inspect("hub-1", ".RestartCount"))
        await compose.do("stop", "hub-2")
        await users.wait()

        async def is_used() -> bool:
            return await count_calls("172.28.0.11") > 0

        await wait_for("calls at the instance that came back", is_used)
        report.returned = True
        await compose.do("start", "hub-2")
        await check_monitoring(report)
    report.client_addresses = read_addresses(compose)


if __name__ == "__main__":
    seen = Report()
    asyncio.run(rehearse(json.loads(sys.argv[1]), seen))
    print(json.dumps(dataclasses.asdict(seen)))
