"""Runs what examples/compose runs, with its own files, and uses it while parts fail.

Started by `unshare --net --mount`: every service of compose.yml has its address on the
loopback of a private network, and its names in a hosts file. The programs are Debian's
nginx and Prometheus, PostgreSQL, and this server; the configuration files are those of
the example, unchanged. Prints a report as JSON on standard output.
"""

import asyncio
import dataclasses
import json
import os
import signal
import subprocess
import sys
import urllib.parse
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx2
import yaml
from fastmcp import Client
from fastmcp.client.transports import StreamableHttpTransport

from tests.support import postgres
from tests.support.dashboards import list_queries
from tests.support.postgres import running_postgres
from tests.support.websocket_client import WebSocketTransport
from tools.project import ROOT

EXAMPLE = ROOT / "examples" / "compose"
NGINX, CLIENT = "172.28.0.10", "172.28.0.1"
URL = f"http://{NGINX}"
DATABASE = """
listen_addresses = '127.0.0.1,172.28.0.20'
hba_file = '/tmp/hba'
"""
MODES = ("2025-11-25", "2026-07-28")
CLIENTS = 2
CALLS = 10
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
    returned: bool = False
    up: dict[str, str] = field(default_factory=dict)
    empty_panels: list[str] = field(default_factory=list)
    panels: int = 0
    client_addresses: list[str] = field(default_factory=list)


def set_up(services: Mapping[str, Any]) -> None:
    """Give each service its address and its names; make `/tmp` private."""
    run("mount", "-t", "tmpfs", "tmpfs", "/tmp")
    run("ip", "link", "set", "lo", "up")
    run("ip", "address", "add", f"{CLIENT}/32", "dev", "lo")
    hosts = ["127.0.0.1 localhost"]
    for name, service in services.items():
        network = service["networks"]["hub"]
        address = network["ipv4_address"]
        run("ip", "address", "add", f"{address}/32", "dev", "lo")
        hosts += [f"{address} {each}" for each in (name, *network.get("aliases", ()))]
    for service in services.values():
        route_as_containers(service["networks"]["hub"]["ipv4_address"])
    Path("/tmp/hba").write_text("host all all all scram-sha-256\n")
    Path("/tmp/hosts").write_text("\n".join(hosts) + "\n")
    run("mount", "--bind", "/tmp/hosts", "/etc/hosts")


def route_as_containers(address: str) -> None:
    """Let instances see the address of nginx, and nginx that of the client."""
    source = CLIENT if address == NGINX else NGINX
    route = ("local", address, "dev", "lo", "table", "local", "src", source)
    run("ip", "route", "replace", *route)


def run(*command: str) -> None:
    subprocess.run(command, check=True, stdout=sys.stderr)


@contextmanager
def running(*command: str, **environment: str) -> Iterator[subprocess.Popen[bytes]]:
    """Run a program until the block ends."""
    log = Path("/tmp", f"{Path(command[0]).name}-{environment.get('LOG', '')}.log")
    with (
        log.open("ab") as output,
        subprocess.Popen(
            command, stdout=output, stderr=output, env={**os.environ, **environment}
        ) as process,
    ):
        try:
            yield process
        finally:
            process.terminate()


def build_environment(service: Mapping[str, Any], secrets: Path) -> dict[str, str]:
    """Return the environment of an instance, with the files' places outside it."""
    return {
        **service["environment"],
        "MCPHUB_HOST": service["networks"]["hub"]["ipv4_address"],
        "MCPHUB_CONFIG": str(EXAMPLE / "hub.yml"),
        "MCPHUB_SECRETS_DIR": str(secrets / "backends"),
        "MCPHUB_TOKENS_DIR": str(secrets / "tokens"),
        "MCPHUB_KEYS_DIR": str(secrets / "keys"),
        "LOG": service["environment"]["MCPHUB_POD_NAME"],
    }


def prepare_secrets() -> Path:
    """Run the example's own script; the test's PostgreSQL brings its login."""
    secrets = Path("/tmp/secrets")
    login = secrets / "backends" / "postgres"
    login.mkdir(parents=True)
    (login / "username").write_text(postgres.READER)
    (login / "password").write_text(postgres.READER_PASSWORD)
    run("sh", str(EXAMPLE / "prepare"), str(secrets))
    return secrets


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


async def wait_until_ready(address: str) -> None:
    """Return once an instance serves."""

    async def is_ready() -> bool:
        answer = await ask(f"http://{address}:8081/health/ready")
        return answer is not None and answer.is_success

    await wait_for(f"the instance {address}", is_ready)


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
        transport = StreamableHttpTransport(f"{URL}/mcp", headers=self._headers)
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
                transport = WebSocketTransport(URL, self._headers)
                async with Client(transport, timeout=20) as client:
                    while not self._ended.is_set():
                        await self._call("websocket", client)
            self._report.reconnects += not self._ended.is_set()


async def read_requests(address: str) -> float:
    """Return how many tool calls an instance has answered."""
    answer = await ask(f"http://{address}:8081/metrics")
    text = answer.text if answer is not None else ""
    return sum(
        float(line.rpartition(" ")[2])
        for line in text.splitlines()
        if line.startswith("mcp_server_operation_duration_seconds_count")
    )


async def query(expression: str) -> list[Any]:
    """Return what Prometheus knows."""
    words = urllib.parse.urlencode({"query": expression})
    answer = await ask(f"http://172.28.0.30:9090/api/v1/query?{words}")
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
        for each in list_queries(path):
            report.panels += 1
            if not await has_data(each.expression):
                report.empty_panels.append(f"{each.panel}: {each.expression}")


async def has_data(expression: str) -> bool:
    """Return whether an expression has data, at the latest after two scrapes."""

    async def found() -> bool:
        return bool(await query(expression))

    with suppress(RuntimeError):
        await wait_for(expression, found)
        return True
    return False


def find_addresses() -> list[str]:
    """Return the client addresses of all audit lines."""
    found = set()
    for log in Path("/tmp").glob("python*.log"):
        for line in log.read_text().splitlines():
            with suppress(json.JSONDecodeError):
                event = json.loads(line)
                if event.get("event") == "tool call":
                    found.add(event["address"])
    return sorted(found)


async def rehearse(report: Report) -> None:
    """Start everything; reload nginx, kill one instance and stop one, under load."""
    services = yaml.safe_load((EXAMPLE / "compose.yml").read_text())["services"]
    set_up(services)
    secrets = prepare_secrets()
    hubs = {name: each for name, each in services.items() if name.startswith("hub-")}
    addresses = [each["networks"]["hub"]["ipv4_address"] for each in hubs.values()]
    server = (sys.executable, "-m", "mcphub_server")
    async with AsyncExitStack() as stack:
        stack.enter_context(running_postgres(DATABASE, port=5432))
        environments = [build_environment(each, secrets) for each in hubs.values()]
        instances = [
            stack.enter_context(running(*server, **each)) for each in environments
        ]
        nginx = stack.enter_context(
            running("nginx", "-c", str(EXAMPLE / "nginx.conf"), "-g", "daemon off;")
        )
        stack.enter_context(
            running(
                "prometheus",
                f"--config.file={EXAMPLE / 'prometheus.yml'}",
                "--storage.tsdb.path=/tmp/prometheus",
                "--web.listen-address=172.28.0.30:9090",
            )
        )
        for address in addresses:
            await wait_until_ready(address)

        users = Users((secrets / "tokens" / "default").read_text(), report)
        async with users.calling():
            await users.wait()
            nginx.send_signal(signal.SIGHUP)
            await users.wait()
            instances[0].kill()
            await users.wait()
            stack.enter_context(running(*server, **environments[0]))
            await wait_until_ready(addresses[0])
            instances[1].terminate()
            await users.wait()

            async def is_used() -> bool:
                return await read_requests(addresses[0]) > 0

            await wait_for("calls at the instance that came back", is_used)
            report.returned = True
            stack.enter_context(running(*server, **environments[1]))
            await check_monitoring(report)
        report.client_addresses = find_addresses()


if __name__ == "__main__":
    seen = Report()
    try:
        asyncio.run(rehearse(seen))
    finally:
        for path in Path("/tmp").glob("*.log"):
            print(
                f"== {path}",
                *path.read_text()[-1500:].splitlines(),
                sep="\n",
                file=sys.stderr,
            )
    print(json.dumps(dataclasses.asdict(seen)))
