"""A database whose settings make it read a statement otherwise than the guard does."""

from collections.abc import Iterator

import pytest

from tests.support.hub import HubFiles, hub_in_loop
from tests.support.postgres import PostgresServer

from .conftest import MakeHub

DATABASE = "legacy"

HIDDEN_CALL = r"SELECT '\' || ', pg_sleep(0)::text --'"
"""Two strings to the guard; a string, a call and a comment where backslashes escape."""


@pytest.fixture
def legacy(shop: PostgresServer) -> Iterator[str]:
    """A database that still has the strings of before PostgreSQL 9.1."""
    shop.run_sql(f"CREATE DATABASE {DATABASE}")
    shop.run_sql(
        f"ALTER DATABASE {DATABASE} SET standard_conforming_strings = off;"
        f"ALTER DATABASE {DATABASE} SET bytea_output = 'escape';"
        f"ALTER DATABASE {DATABASE} SET default_transaction_read_only = off"
    )
    yield DATABASE
    shop.run_sql(f"DROP DATABASE {DATABASE} WITH (FORCE)")


def test_such_a_database_would_call_what_the_guard_reads_as_a_string(
    shop: PostgresServer, legacy: str
) -> None:
    printed = shop.run_sql(HIDDEN_CALL, legacy)

    assert printed == "' || |\n"


async def ask(files: HubFiles, sql: str) -> list[list[object]]:
    """Return the rows of a statement."""
    async with hub_in_loop(files) as hub, hub.client() as client:
        answer = await client.call_tool("postgres_query", {"sql": sql})
    rows: list[list[object]] = answer.structured_content["rows"]
    return rows


@pytest.mark.asyncio
async def test_the_hub_makes_it_read_the_string_as_the_guard_did(
    hub_files: MakeHub, legacy: str
) -> None:
    files = hub_files(backend={"database": legacy})

    rows = await ask(files, HIDDEN_CALL)

    assert rows == [["\\, pg_sleep(0)::text --"]]


@pytest.mark.asyncio
@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("standard_conforming_strings", "on"),
        ("transaction_read_only", "on"),
        ("lock_timeout", "3s"),
        ("idle_in_transaction_session_timeout", "45s"),
        ("bytea_output", "hex"),
    ],
)
async def test_the_hub_sets_what_it_relies_on(
    hub_files: MakeHub, legacy: str, setting: str, value: str
) -> None:
    files = hub_files(backend={"database": legacy})

    rows = await ask(files, f"SHOW {setting}")

    assert rows == [[value]]
