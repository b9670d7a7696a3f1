"""Ordinary SQL passes everything on its way: guard, names, wrapping, database, JSON."""

from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest
import pytest_asyncio
from fastmcp import Client

from tests.support import postgres
from tests.support.hub import hub_in_loop
from tests.support.ordinary import FOLDER, read_statements
from tests.support.postgres import PostgresServer

from .conftest import MakeHub

pytestmark = pytest.mark.asyncio(loop_scope="module")

DATABASE = "ordinary"
GRANT = f"""
GRANT pg_read_all_data TO {postgres.READER};
"""


@pytest.fixture(scope="module")
def examples(shop: PostgresServer) -> Iterator[PostgresServer]:
    shop.run_sql(f"CREATE DATABASE {DATABASE}")
    shop.run_sql((FOLDER / "schema.sql").read_text(encoding="utf-8"), DATABASE)
    shop.run_sql(GRANT, DATABASE)
    yield shop
    shop.run_sql(f"REVOKE pg_read_all_data FROM {postgres.READER}")
    shop.run_sql(f"DROP DATABASE {DATABASE} WITH (FORCE)")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def client(
    examples: PostgresServer,  # noqa: ARG001
    make_hub: MakeHub,
    tmp_path_factory: Any,
) -> AsyncIterator[Client[Any]]:
    files = make_hub(tmp_path_factory.mktemp("hub"), backend={"database": DATABASE})
    async with hub_in_loop(files) as hub, hub.client() as client:
        yield client


@pytest.mark.parametrize("sql", read_statements("postgres.sql"))
async def test_ordinary_sql_runs(client: Client[Any], sql: str) -> None:
    answer = await client.call_tool_mcp("postgres_query", {"sql": sql})

    assert not answer.is_error, answer.content[0].text
