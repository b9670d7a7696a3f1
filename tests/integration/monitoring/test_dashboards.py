"""Every panel of every dashboard shows what a real Prometheus scraped of real hubs."""

import contextlib
import math
from collections.abc import AsyncIterator, Iterator

import httpx
import pytest
import pytest_asyncio

from tests.support.dashboards import DASHBOARDS, PanelQuery, list_queries
from tests.support.monitored import Prometheus, monitored
from tests.support.postgres import PostgresServer, running_postgres
from tests.support.waiting import wait_until

pytestmark = pytest.mark.asyncio(loop_scope="module")

QUERIES = [
    pytest.param(path.name, query, id=f"{path.stem}: {query.panel} ({number})")
    for path in sorted(DASHBOARDS.glob("*.json"))
    for number, query in enumerate(list_queries(path))
]


@pytest.fixture(scope="module")
def shop() -> Iterator[PostgresServer]:
    with running_postgres() as server:
        yield server


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def prometheus(
    shop: PostgresServer, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Prometheus]:
    async with monitored(tmp_path_factory.mktemp("monitoring"), shop) as prometheus:
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
