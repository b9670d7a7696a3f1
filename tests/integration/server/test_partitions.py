"""Tables that consist of other tables: one entry with a count, unless asked for all."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.support.hub import hub_in_loop
from tests.support.postgres import PostgresServer

from .conftest import MakeHub

DATABASE = "measured"
TABLES = """
CREATE TABLE events (day date, name text) PARTITION BY RANGE (day);
CREATE TABLE events_old PARTITION OF events FOR VALUES FROM ('2025-01-01')
  TO ('2026-01-01') PARTITION BY LIST (name);
CREATE TABLE events_old_a PARTITION OF events_old FOR VALUES IN ('a');
CREATE TABLE events_new PARTITION OF events FOR VALUES FROM ('2026-01-01')
  TO ('2027-01-01');
CREATE TABLE metrics (value int);
CREATE SCHEMA _timescaledb_internal;
SELECT format('CREATE TABLE _timescaledb_internal._chunk_%s () INHERITS (metrics)', n)
  FROM generate_series(1, 150) n \\gexec
CREATE TABLE orders (id int);
CREATE TABLE hidden (id int);
CREATE TABLE orphan () INHERITS (hidden);
INSERT INTO events SELECT '2026-02-01', 'x' FROM generate_series(1, 7);
INSERT INTO _timescaledb_internal._chunk_1 SELECT generate_series(1, 3);
ANALYZE;
GRANT USAGE ON SCHEMA _timescaledb_internal TO PUBLIC;
GRANT SELECT ON ALL TABLES IN SCHEMA public, _timescaledb_internal TO PUBLIC;
REVOKE SELECT ON hidden FROM PUBLIC;
"""


@pytest.fixture(scope="module")
def measured(shop: PostgresServer) -> Iterator[str]:
    shop.run_sql(f"CREATE DATABASE {DATABASE}")
    shop.run_sql(TABLES, DATABASE)
    yield DATABASE
    shop.run_sql(f"DROP DATABASE {DATABASE} WITH (FORCE)")


async def list_tables(
    hub_files: MakeHub, database: str, **arguments: Any
) -> list[dict[str, Any]]:
    files = hub_files(backend={"database": database}, limits={"maxRows": 1000})
    async with hub_in_loop(files) as hub, hub.client() as client:
        answer = await client.call_tool("postgres_list_tables", arguments)
    tables: list[dict[str, Any]] = answer.structured_content["tables"]
    return tables


async def test_partitions_and_children_are_folded_into_their_parent(
    hub_files: MakeHub, measured: str
) -> None:
    tables = await list_tables(hub_files, measured)

    found = {t["name"]: (t["partitions"], t["estimated_rows"]) for t in tables}
    assert found == {
        "events": (3, 7),
        "metrics": (150, 3),
        "orders": (0, 0),
        "orphan": (0, 0),  # its parent is not readable
    }


async def test_all_are_listed_if_asked_for_and_own_tables_come_first(
    hub_files: MakeHub, measured: str
) -> None:
    tables = await list_tables(hub_files, measured, include_partitions=True)

    names = [table["name"] for table in tables]
    assert len(names) == 7 + 150
    assert names[:4] == ["events", "events_new", "events_old", "events_old_a"]
    assert {table["schema"] for table in tables[:7]} == {"public"}


async def test_a_schema_of_children_alone_lists_them(
    hub_files: MakeHub, measured: str
) -> None:
    tables = await list_tables(hub_files, measured, schema="_timescaledb_internal")

    assert len(tables) == 150


async def test_a_described_table_counts_its_partitions(
    hub_files: MakeHub, measured: str
) -> None:
    files = hub_files(backend={"database": measured})
    async with hub_in_loop(files) as hub, hub.client() as client:
        answer = await client.call_tool("postgres_describe_table", {"table": "events"})

    assert answer.structured_content["partitions"] == 3
