"""Every panel of every dashboard shows what a real Prometheus scraped of real hubs.

Two replicas of a hub answer calls, good ones and others, and a third hub has a database
that is away. The operator's side is its real metrics behind its real listener, with a
few passes and requests counted.
"""

import asyncio
import contextlib
import math
import subprocess
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
import pytest_asyncio
import yaml

from mcphub_operator.client.api import Request
from mcphub_operator.metrics import Metrics as OperatorMetrics
from mcphub_operator.runtime.probes import Readiness, serve_probes
from tests.support import postgres
from tests.support.dashboards import DASHBOARDS, PanelQuery, list_queries
from tests.support.hub import HubFiles, LoopHub, hub_in_loop
from tests.support.otlp import receiving
from tests.support.postgres import PostgresServer, running_postgres
from tests.support.system_packages import ensure_packages
from tests.support.waiting import wait_until
from tools.ports import reserve_port

pytestmark = pytest.mark.asyncio(loop_scope="module")

WIDE = {"requestsPerSecond": 100_000, "burst": 100_000}
STATEMENTS = ("SELECT 1", "SELECT nothing", "DELETE FROM sales.orders")
QUERIES = [
    pytest.param(path.name, query, id=f"{path.stem}: {query.panel} ({number})")
    for path in sorted(DASHBOARDS.glob("*.json"))
    for number, query in enumerate(list_queries(path))
]


@dataclass
class Prometheus:
    """A Prometheus that scrapes every 200 ms."""

    url: str

    async def ask(self, path: str, **parameters: str) -> Any:
        """Return the data of an answer."""
        async with httpx.AsyncClient(timeout=100) as http:
            answer = await http.get(f"{self.url}/api/v1/{path}", params=parameters)
        body = answer.json()
        assert body["status"] == "success", body
        return body["data"]

    async def read(self, expression: str) -> list[float]:
        """Return the values that an expression has now."""
        data = await self.ask("query", query=expression)
        return [float(each["value"][1]) for each in data["result"]]


@contextlib.contextmanager
def running_prometheus(
    folder: Path, jobs: list[dict[str, Any]]
) -> Iterator[Prometheus]:
    ensure_packages(prometheus="prometheus")
    port = reserve_port()
    config = {"global": {"scrape_interval": "200ms"}, "scrape_configs": jobs}
    (folder / "prometheus.yml").write_text(yaml.safe_dump(config))
    with (folder / "prometheus.log").open("wb") as log:
        process = subprocess.Popen(
            [
                "prometheus",
                f"--config.file={folder / 'prometheus.yml'}",
                f"--storage.tsdb.path={folder / 'data'}",
                f"--web.listen-address=127.0.0.1:{port}",
                "--enable-feature=exemplar-storage",
            ],
            stdout=log,
            stderr=log,
        )
    try:
        yield Prometheus(f"http://127.0.0.1:{port}")
    finally:
        process.terminate()
        process.wait()


@pytest.fixture(scope="module")
def shop() -> Iterator[PostgresServer]:
    with running_postgres() as server:
        yield server


def build_files(folder: Path, port: int, endpoint: str) -> HubFiles:
    options = {"host": "127.0.0.1", "port": port, "database": postgres.DATABASE}
    return HubFiles(
        folder,
        {
            "backends": [{"name": "db", "postgres": options}],
            "limits": WIDE,
            "observability": {"otlp": {"endpoint": endpoint}},
        },
        {
            "db": {
                "username": postgres.READER,
                "password": postgres.READER_PASSWORD,
            }
        },
    )


@asynccontextmanager
async def calling(hubs: list[LoopHub]) -> AsyncIterator[None]:
    """Call until the block ends."""

    async def call(hub: LoopHub) -> None:
        async with hub.client() as client, httpx.AsyncClient(timeout=100) as http:
            while True:
                for sql in STATEMENTS:
                    await client.call_tool_mcp("db_query", {"sql": sql})
                await http.post(f"{hub.url}/mcp", json={})  # without a token
                await asyncio.sleep(0.05)

    tasks = [asyncio.create_task(call(hub)) for hub in hubs]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def build_target(port: int, **labels: str) -> dict[str, Any]:
    return {"targets": [f"127.0.0.1:{port}"], "labels": labels}


def count_some_work(metrics: OperatorMetrics) -> None:
    metrics.reconciled(0.02, failed=False)
    metrics.requested(Request("apply", "Deployment", 200, 0.01))
    metrics.requested(Request("list", "Secret", 200, 0.01))
    metrics.leader.set(1)
    metrics.count_hubs({("Ready", "True"): 2, ("ToolsValid", "False"): 1})


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def prometheus(
    shop: PostgresServer, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Prometheus]:
    folder = tmp_path_factory.mktemp("monitoring")
    operator_port = reserve_port()
    metrics = OperatorMetrics()
    async with AsyncExitStack() as stack:
        receiver = stack.enter_context(receiving())
        hubs, targets = [], []
        for name, port in (("a", shop.port), ("b", shop.port), ("c", reserve_port())):
            files = build_files(folder / name, port, receiver.url)
            hub = await stack.enter_async_context(hub_in_loop(files))
            hubs.append(hub)
            labels = {"hub": "away" if name == "c" else "team", "pod": name}
            targets.append(build_target(hub.management_port, namespace="ai", **labels))
        await stack.enter_async_context(
            serve_probes(
                operator_port,
                Readiness(),
                metrics.registry,
                lambda: count_some_work(metrics),
            )
        )
        jobs = [
            {"job_name": "mcphub", "static_configs": targets},
            {
                "job_name": "mcphub-operator",
                "static_configs": [build_target(operator_port, pod="operator-0")],
            },
        ]
        prometheus = stack.enter_context(running_prometheus(folder, jobs))
        await stack.enter_async_context(calling(hubs))
        yield prometheus


@pytest.mark.parametrize(("dashboard", "query"), QUERIES)
async def test_every_panel_shows_data(
    dashboard: str, query: PanelQuery, prometheus: Prometheus
) -> None:
    assert dashboard

    async def has_data() -> bool:
        with contextlib.suppress(httpx.TransportError):
            values = await prometheus.read(query.expression)
            return any(not math.isnan(value) for value in values)
        return False

    await wait_until(has_data)


async def test_a_dot_of_the_dashboard_leads_to_a_trace(prometheus: Prometheus) -> None:
    async def has_exemplars() -> bool:
        with contextlib.suppress(httpx.TransportError):
            found = await prometheus.ask(
                "query_exemplars",
                query="mcp_server_operation_duration_seconds_bucket",
                start="0",
                end="99999999999",
            )
            return any(
                len(each["labels"]["trace_id"]) == 32
                for series in found
                for each in series["exemplars"]
            )
        return False

    await wait_until(has_exemplars)
