"""A Prometheus that scrapes hubs in use, for the dashboards and their pictures.

Two replicas of a hub answer calls, good ones and others, and a third hub has a database
that is away. The operator's side is its real metrics behind its real listener, with a
few passes and requests counted.
"""

import asyncio
import contextlib
import subprocess
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from itertools import cycle
from pathlib import Path
from typing import Any

import httpx
import yaml

from mcphub_operator.client.api import Request
from mcphub_operator.metrics import Metrics as OperatorMetrics
from mcphub_operator.runtime.probes import Readiness, serve_probes
from tests.support import postgres
from tests.support.hub import HubFiles, LoopHub, hub_in_loop
from tests.support.otlp import receiving
from tests.support.postgres import PostgresServer
from tests.support.system_packages import ensure_packages
from tools.ports import reserve_port

WIDE = {"requestsPerSecond": 100_000, "burst": 100_000}
CALLS: tuple[tuple[str, dict[str, str]], ...] = (
    ("db_query", {"sql": "SELECT 1"}),
    ("db_list_tables", {}),
    ("db_query", {"sql": "SELECT count(*) FROM generate_series(1, 100000)"}),
    ("db_query", {"sql": "SELECT nothing"}),
    ("health_check", {}),
    ("db_query", {"sql": "DELETE FROM sales.orders"}),
)
PAUSES = (0.02, 0.05, 0.02, 0.1, 0.03)


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
            for (tool, arguments), pause in zip(
                cycle(CALLS), cycle(PAUSES), strict=False
            ):
                await client.call_tool_mcp(tool, arguments)
                if tool == "health_check":
                    await http.post(f"{hub.url}/mcp", json={})  # without a token
                await asyncio.sleep(pause)

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


@asynccontextmanager
async def monitored(folder: Path, shop: PostgresServer) -> AsyncIterator[Prometheus]:
    """Run hubs, clients that call, and a Prometheus until the block ends."""
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
