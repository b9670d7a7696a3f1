"""A hub that is given some schemas reads nothing of the others."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio
from fastmcp import Client

from tests.support.hub import hub_in_loop

from .conftest import MakeHub

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def client(
    make_hub: MakeHub, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Client[Any]]:
    folder = tmp_path_factory.mktemp("schemas")
    files = make_hub(folder, backend={"schemas": ["sales"]})
    async with hub_in_loop(files) as hub, hub.client() as connected:
        yield connected


@pytest.mark.parametrize(
    "sql",
    [
        pytest.param("SELECT count(*) FROM orders", id="found without its schema"),
        pytest.param("SELECT count(*) FROM sales.orders", id="with its schema"),
        pytest.param("WITH customers AS (SELECT 1) SELECT 1", id="a CTE unused"),
        pytest.param("SELECT count(*) FROM pg_catalog.pg_class", id="the catalog"),
        pytest.param("SELECT 1", id="no table at all"),
    ],
)
async def test_its_own_schemas_are_read(client: Client[Any], sql: str) -> None:
    answer = await client.call_tool_mcp("postgres_query", {"sql": sql})

    assert not answer.is_error


@pytest.mark.parametrize(
    "sql",
    [
        pytest.param("SELECT * FROM public.customers", id="with its schema"),
        pytest.param("SELECT * FROM customers", id="by the search path"),
        pytest.param("EXPLAIN SELECT * FROM customers", id="in EXPLAIN"),
        pytest.param("TABLE customers", id="as TABLE"),
        pytest.param(
            "SELECT (SELECT max(id) FROM public.customers) FROM orders",
            id="in a subquery",
        ),
        pytest.param(
            "WITH a AS (SELECT * FROM customers) SELECT * FROM a", id="in a CTE"
        ),
    ],
)
async def test_other_schemas_are_refused(client: Client[Any], sql: str) -> None:
    answer = await client.call_tool_mcp("postgres_query", {"sql": sql})

    assert answer.is_error
    assert "scope/schema" in answer.content[0].text
    assert "Read from sales." in answer.content[0].text


@pytest.mark.parametrize(
    "sql",
    [
        pytest.param(
            "SELECT most_common_vals::text FROM pg_stats", id="its column statistics"
        ),
        pytest.param("SELECT * FROM pg_catalog.pg_stats_ext", id="with its schema"),
        pytest.param("TABLE pg_stats_ext_exprs", id="statistics of expressions"),
        pytest.param("SELECT last_value FROM pg_sequences", id="where sequences are"),
        pytest.param("SELECT pid FROM pg_stat_activity", id="who is connected"),
        pytest.param("SELECT calls FROM public.pg_stat_statements", id="what ran"),
        pytest.param(
            "SELECT s.pg_get_partition_constraintdef FROM unnest(ARRAY[1::oid]) s",
            id="a partition's values by a field",
        ),
    ],
)
async def test_what_the_catalog_keeps_of_other_schemas_rows_is_refused(
    client: Client[Any], sql: str
) -> None:
    answer = await client.call_tool_mcp("postgres_query", {"sql": sql})

    assert answer.is_error
    assert "scope/schema" in answer.content[0].text


async def test_other_schemas_are_not_listed_or_described(client: Client[Any]) -> None:
    listed = await client.call_tool("postgres_list_tables")
    described = await client.call_tool_mcp(
        "postgres_describe_table", {"table": "public.customers"}
    )

    schemas = {table["schema"] for table in listed.structured_content["tables"]}
    assert schemas == {"sales"}
    assert described.is_error
