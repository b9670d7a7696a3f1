"""A database with encoding SQL_ASCII, which stores bytes that may be no characters."""

from collections.abc import Iterator

import pytest

from tests.support.hub import hub_in_loop
from tests.support.postgres import PostgresServer

from .conftest import MakeHub

DATABASE = "raw"
CONTENT = r"""
CREATE TABLE people (id int, name text, ratio float8);
INSERT INTO people VALUES (1, E'caf\xe9', 1.5), (2, 'plain', NULL);
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
    assert described.structured_content["columns"][1]["comment"] == r"ét\xe9"


async def test_a_byte_that_is_no_character_is_shown_by_its_code(
    hub_files: MakeHub, raw: str
) -> None:
    files = hub_files(backend={"database": raw})
    sql = (
        "SELECT name, ARRAY[name], p, json_build_object('n', name), 'é', id, ratio"
        " FROM people p ORDER BY id"
    )
    async with hub_in_loop(files) as hub, hub.client() as client:
        answer = await client.call_tool("postgres_query", {"sql": sql})

    odd, plain = answer.structured_content["rows"]
    name, whole = r"caf\xe9", {"id": 1, "name": r"caf\xe9", "ratio": 1.5}
    assert odd == [name, [name], whole, {"n": name}, "é", 1, 1.5]
    assert plain[:2] == ["plain", ["plain"]]


async def test_what_is_not_wrapped_fails_with_a_way_out_that_works(
    hub_files: MakeHub, raw: str
) -> None:
    files = hub_files(backend={"database": raw})
    plan = "EXPLAIN (VERBOSE) SELECT 1 FROM people WHERE name = chr(233)"
    way_out = "SELECT convert_to(name, 'SQL_ASCII') FROM people"
    async with hub_in_loop(files) as hub, hub.client() as client:
        failed = await client.call_tool_mcp("postgres_query", {"sql": plan})
        rows = await client.call_tool("postgres_query", {"sql": way_out})

    assert failed.is_error
    assert "convert_to(column, 'SQL_ASCII')" in failed.content[0].text
    assert rows.structured_content["row_count"] == 2
