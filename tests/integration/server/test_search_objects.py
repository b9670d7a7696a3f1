"""Finding tables and columns by their names, on a real PostgreSQL."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.support.hub import hub_in_loop
from tests.support.postgres import READER, PostgresServer

from .conftest import MakeHub

DATABASE = "searched"
TABLES = f"""
CREATE SCHEMA sales; CREATE SCHEMA hr;
CREATE TABLE sales.orders (id int, customer_id int, note text);
COMMENT ON TABLE sales.orders IS 'What was sold';
CREATE TABLE sales.lines (order_id int, "OrderLine%" text);
CREATE VIEW sales.order_totals AS SELECT id FROM sales.orders;
CREATE TABLE hr.orders_of_the_day (id int);
CREATE TABLE sales.events (day date, order_ref int) PARTITION BY RANGE (day);
CREATE TABLE sales.order_events PARTITION OF sales.events
  FOR VALUES FROM ('2026-01-01') TO ('2027-01-01');
CREATE TABLE public.orders_secret (order_key int);
CREATE TABLE public.half (order_seen int, order_hidden int);
SELECT format('CREATE TABLE sales.many_%s (id int)', n)
  FROM generate_series(1, 250) n \\gexec
GRANT USAGE ON SCHEMA sales, hr TO {READER};
GRANT SELECT ON ALL TABLES IN SCHEMA sales, hr TO {READER};
GRANT SELECT (order_seen) ON public.half TO {READER};
"""  # noqa: S608 -- constants


@pytest.fixture(scope="module")
def searched(shop: PostgresServer) -> Iterator[str]:
    shop.run_sql(f"CREATE DATABASE {DATABASE}")
    shop.run_sql(TABLES, DATABASE)
    yield DATABASE
    shop.run_sql(f"DROP DATABASE {DATABASE} WITH (FORCE)")


async def search(
    hub_files: MakeHub, backend: dict[str, Any] | None = None, **arguments: Any
) -> list[dict[str, Any]]:
    files = hub_files(backend={"database": DATABASE, **(backend or {})})
    found: list[dict[str, Any]] = []
    async with hub_in_loop(files) as hub, hub.client() as client:
        while True:
            answer = await client.call_tool("postgres_search_objects", arguments)
            page: dict[str, Any] = answer.structured_content or {}
            found += page["objects"]
            if page["next_cursor"] is None:
                return found
            arguments["cursor"] = page["next_cursor"]


def list_paths(found: list[dict[str, Any]]) -> list[str]:
    return [f"{each['kind']} {each['container']}.{each['name']}" for each in found]


@pytest.mark.usefixtures("searched")
async def test_tables_come_first_then_columns(hub_files: MakeHub) -> None:
    found = await search(hub_files, pattern="order")

    assert list_paths(found) == [
        "table hr.orders_of_the_day",
        "view sales.order_totals",
        "table sales.orders",
        "column public.half.order_seen",
        "column sales.events.order_ref",
        "column sales.lines.OrderLine%",
        "column sales.lines.order_id",
    ]
    details = {each["name"]: each["detail"] for each in found}
    assert details["orders"] == "What was sold"
    assert details["order_id"] == "integer"


@pytest.mark.usefixtures("searched")
@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        pytest.param("*_ID", ["order_id", "customer_id"], id="a glob in capitals"),
        pytest.param("hr.*", ["orders_of_the_day", "id"], id="a schema"),
        pytest.param("sales.orders.n", ["note"], id="a column of a table"),
        pytest.param("line%", ["OrderLine%"], id="a percent sign as it is"),
        pytest.param("'; DROP", [], id="what is no name"),
    ],
)
async def test_a_pattern_finds_what_it_should(
    hub_files: MakeHub, pattern: str, expected: list[str]
) -> None:
    found = await search(hub_files, pattern=pattern)

    assert [each["name"] for each in found] == expected


@pytest.mark.usefixtures("searched")
async def test_only_the_configured_schemas_are_searched(hub_files: MakeHub) -> None:
    found = await search(hub_files, {"schemas": ["hr"]}, pattern="order")

    assert list_paths(found) == ["table hr.orders_of_the_day"]


@pytest.mark.usefixtures("searched")
async def test_pages_reach_the_last_of_many(hub_files: MakeHub) -> None:
    found = await search(hub_files, pattern="many_*")

    assert len(found) == 250
    assert len({each["name"] for each in found}) == 250
