"""A database with encoding SQL_ASCII, which stores bytes that may be no characters."""

from collections.abc import Iterator

import pytest

from tests.support.hub import hub_in_loop
from tests.support.postgres import PostgresServer

from .conftest import MakeHub

DATABASE = "raw"
CONTENT = r"""
CREATE TABLE people (name text);
INSERT INTO people VALUES (E'caf\xe9'), ('plain');
COMMENT ON TABLE people IS E'Stra\xdfe';
COMMENT ON COLUMN people.name IS E'\xc3\xa9t\xe9';
GRANT SELECT ON people TO PUBLIC;
"""


@pytest.fixture(scope="module")
def raw(shop: PostgresServer) -> Iterator[str]:
    shop.run_sql(
        f"CREATE DATABASE {DATABASE} ENCODING 'SQL_ASCII' TEMPLATE template0 "
        "LC_COLLATE 'C' LC_CTYPE 'C'"
    )
    shop.run_sql(CONTENT, DATABASE)
    yield DATABASE
    shop.run_sql(f"DROP DATABASE {DATABASE} WITH (FORCE)")


async def test_tables_are_listed_and_described(hub_files: MakeHub, raw: str) -> None:
    files = hub_files(backend={"database": raw})
    async with hub_in_loop(files) as hub, hub.client() as client:
        listed = await client.call_tool("postgres_list_tables")
        described = await client.call_tool(
            "postgres_describe_table", {"table": "people"}
        )

    (found,) = listed.structured_content["tables"]
    assert found["comment"] == r"Stra\xdfe"
    assert described.structured_content["columns"][0]["comment"] == r"ét\xe9"


async def test_a_statement_fails_with_a_way_out_that_works(
    hub_files: MakeHub, raw: str
) -> None:
    files = hub_files(backend={"database": raw})
    way_out = "SELECT convert_to(name, 'SQL_ASCII') FROM people"
    async with hub_in_loop(files) as hub, hub.client() as client:
        failed = await client.call_tool_mcp(
            "postgres_query", {"sql": "SELECT name FROM people"}
        )
        rows = await client.call_tool("postgres_query", {"sql": way_out})

    assert failed.is_error
    assert "convert_to(column, 'SQL_ASCII')" in failed.content[0].text
    assert rows.structured_content["row_count"] == 2
