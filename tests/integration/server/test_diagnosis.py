"""The diagnosis tools on a real PostgreSQL: each finds a problem that was put there."""

import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from fastmcp import Client

from tests.support.hub import HubFiles, hub_in_loop
from tests.support.postgres import (
    ADMIN,
    ADMIN_PASSWORD,
    READER,
    READER_PASSWORD,
    PostgresServer,
)
from tests.support.sick_database import DATABASE, running_sick_database


@pytest.fixture(scope="module")
def sick() -> Iterator[PostgresServer]:
    with running_sick_database() as server:
        yield server


def build_files(
    server: PostgresServer, folder: Path, database: str = DATABASE
) -> HubFiles:
    options = {
        "host": server.host,
        "port": server.port,
        "database": database,
        "diagnosis": True,
        "schemas": [] if database != DATABASE else ["shop"],
    }
    return HubFiles(
        folder,
        {"backends": [{"name": "db", "postgres": options}]},
        {"db": {"username": READER, "password": READER_PASSWORD}},
    )


@pytest.fixture
async def client(sick: PostgresServer, tmp_path: Path) -> AsyncIterator[Client[Any]]:
    async with hub_in_loop(build_files(sick, tmp_path)) as hub, hub.client() as made:
        yield made


async def ask(client: Client[Any], tool: str, **arguments: Any) -> dict[str, Any]:
    answer = await client.call_tool(f"db_{tool}", arguments)
    content: dict[str, Any] = answer.structured_content or {}
    return content


def list_findings(answer: dict[str, Any]) -> set[tuple[str, str]]:
    return {(each["problem"], each["object"]) for each in answer["findings"]}


async def test_index_health_finds_each_kind_of_bad_index(client: Client[Any]) -> None:
    answer = await ask(client, "index_health")

    found = list_findings(answer)
    assert ("invalid index", "shop.orders_by_note") in found
    assert ("duplicate index", "shop.orders_by_day_again") in found
    assert ("unused index", "shop.orders_by_day") in found
    assert ("foreign key without an index", "shop.orders") in found
    assert not any(name.endswith("_pkey") for _, name in found)
    assert all(each["advice"] for each in answer["findings"])
    assert "note" not in answer


async def test_a_valid_index_is_no_duplicate_of_an_invalid_one(
    client: Client[Any], sick: PostgresServer
) -> None:
    valid = "shop.orders_by_note_again"
    sick.run_sql("CREATE INDEX orders_by_note_again ON shop.orders (note)", DATABASE)
    try:
        found = list_findings(await ask(client, "index_health"))
    finally:
        sick.run_sql(f"DROP INDEX {valid}", DATABASE)

    assert ("invalid index", "shop.orders_by_note") in found
    assert ("duplicate index", valid) not in found


async def test_vacuum_health_finds_dead_rows_and_missing_statistics(
    client: Client[Any],
) -> None:
    found: set[tuple[str, str]] = set()
    while ("many dead rows", "shop.orders") not in found:  # counted a moment later
        found = list_findings(await ask(client, "vacuum_health"))

    assert ("never analyzed", "shop.guessed") in found
    assert ("autovacuum is off", "shop.orders") in found
    assert not any(name == "shop.customers" for _, name in found)


async def test_explain_gives_advice_and_what_an_index_would_change(
    client: Client[Any], sick: PostgresServer
) -> None:
    sql = "SELECT * FROM shop.orders WHERE customer_id = 7"
    index = {"table": "shop.orders", "columns": ["customer_id"]}

    plain = await ask(client, "explain_query", sql=sql)
    tried = await ask(client, "explain_query", sql=sql, hypothetical_indexes=[index])
    again = await ask(client, "explain_query", sql=sql)

    assert any("shop.orders" in each and "index" in each for each in plain["advice"])
    assert "Seq Scan" in " ".join(plain["plan"])
    assert "hypothetical" not in plain
    assert tried["hypothetical"]["total_cost"] < plain["total_cost"] / 2
    assert len(tried["hypothetical"]["used"]) == 1
    assert again["plan"] == plain["plan"]
    left = sick.run_sql(
        "SELECT count(*) FROM pg_stat_user_indexes WHERE indexrelname LIKE '%hypo%'",
        DATABASE,
    )
    assert left.strip() == "0"


async def test_a_hypothetical_index_ends_with_a_statement_that_fails(
    client: Client[Any],
) -> None:
    index = {"table": "shop.orders", "columns": ["customer_id"]}
    failed = await client.call_tool_mcp(
        "db_explain_query",
        {"sql": "SELECT nothing FROM shop.orders", "hypothetical_indexes": [index]},
    )
    after = await ask(
        client, "explain_query", sql="SELECT * FROM shop.orders WHERE customer_id = 7"
    )

    assert failed.is_error
    assert "Seq Scan" in " ".join(after["plan"])


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        pytest.param({"sql": "DELETE FROM shop.orders"}, "Rejected", id="a write"),
        pytest.param({"sql": "EXPLAIN SELECT 1"}, "without EXPLAIN", id="an EXPLAIN"),
        pytest.param(
            {"sql": "EXPLAIN ANALYZE SELECT 1"}, "Rejected", id="an EXPLAIN that runs"
        ),
        pytest.param({"sql": "SELECT 1; SELECT 2"}, "Rejected", id="two statements"),
        pytest.param(
            {
                "sql": "SELECT 1",
                "hypothetical_indexes": [
                    {"table": "shop.orders", "columns": ["id) WHERE (true"]}
                ],
            },
            "has no column",
            id="a column that is SQL",
        ),
        pytest.param(
            {
                "sql": "SELECT 1",
                "hypothetical_indexes": [{"table": "pg_authid", "columns": ["oid"]}],
            },
            "There is no table",
            id="a table of the catalog",
        ),
    ],
)
async def test_explain_refuses_what_is_no_reading_statement(
    client: Client[Any], arguments: dict[str, Any], said: str
) -> None:
    answer = await client.call_tool_mcp("db_explain_query", arguments)

    assert answer.is_error
    assert said in answer.content[0].text


async def test_top_statements_show_what_costs_most_without_values(
    client: Client[Any],
) -> None:
    for number in range(3):
        where = f"WHERE id > {number}"
        sql = "SELECT count(*) AS found_here FROM shop.orders "
        await ask(client, "query", sql=sql + where)

    for order in ("total_time", "mean_time", "calls"):
        answer = await ask(client, "top_statements", order_by=order, limit=50)
        texts = [each["statement"] for each in answer["statements"]]
        assert any("found_here" in text and "id > $" in text for text in texts), order
    assert len((await ask(client, "top_statements", limit=1))["statements"]) == 1


@asynccontextmanager
async def open_session(server: PostgresServer) -> AsyncIterator[Any]:
    connection = await asyncpg.connect(
        host=server.host,
        port=server.port,
        user=ADMIN,
        password=ADMIN_PASSWORD,
        database=DATABASE,
    )
    try:
        yield connection
    finally:
        connection.terminate()


@contextmanager
def waiting_for(server: PostgresServer, statement: str) -> Iterator[None]:
    """Run a statement that waits for a lock, in a thread."""
    thread = threading.Thread(target=server.run_sql, args=(statement, DATABASE))
    thread.start()
    yield
    thread.join()


async def test_activity_finds_who_waits_and_who_blocks(
    client: Client[Any], sick: PostgresServer
) -> None:
    async with open_session(sick) as session:
        await session.execute("BEGIN; LOCK TABLE shop.customers")
        blocker = session.get_server_pid()
        with waiting_for(sick, "SELECT 'waiting' FROM shop.customers LIMIT 1"):
            try:
                waits: list[dict[str, Any]] = []
                while not waits:
                    answer = await ask(client, "activity", min_seconds=0)
                    found = answer["findings"]
                    waits = [e for e in found if e["problem"] == "waits for a lock"]
            finally:
                await session.execute("ROLLBACK")

    long = [each for each in found if each["problem"] == "long transaction"]
    assert f"blocked by {blocker}" in waits[0]["detail"]
    assert "'waiting'" in waits[0]["detail"]
    assert any(f"process {blocker} of" in each["object"] for each in long)
    assert any("idle in transaction" in each["detail"] for each in long)


async def test_activity_finds_a_prepared_transaction(
    client: Client[Any], sick: PostgresServer
) -> None:
    sick.run_sql("BEGIN; SELECT 1; PREPARE TRANSACTION 'forgotten'", DATABASE)
    try:
        answer = await ask(client, "activity", min_seconds=0)
    finally:
        sick.run_sql("ROLLBACK PREPARED 'forgotten'", DATABASE)

    assert ("prepared transaction", "forgotten") in list_findings(answer)


async def test_what_is_missing_is_said_in_a_sentence(
    sick: PostgresServer, tmp_path: Path
) -> None:
    index = {"table": "sales.orders", "columns": ["customer_id"]}
    sick.run_sql(f"REVOKE pg_monitor FROM {READER}")
    try:
        files = build_files(sick, tmp_path, "shop")
        async with hub_in_loop(files) as hub, hub.client() as client:
            statements = await ask(client, "top_statements")
            explained = await ask(
                client,
                "explain_query",
                sql="SELECT * FROM sales.orders",
                hypothetical_indexes=[index],
            )
            looked = await ask(client, "activity")
    finally:
        sick.run_sql(f"GRANT pg_monitor TO {READER}")

    assert statements["statements"] == []
    assert "pg_stat_statements is not installed" in statements["note"]
    assert "hypopg is not installed" in explained["note"]
    assert "pg_monitor" in looked["note"]


async def test_without_the_option_there_are_no_such_tools(
    sick: PostgresServer, tmp_path: Path
) -> None:
    files = build_files(sick, tmp_path)
    (entry,) = files.config["backends"]
    options = {**entry["postgres"], "diagnosis": False}
    plain = replace(files, config={"backends": [{**entry, "postgres": options}]})
    async with hub_in_loop(plain) as hub, hub.client() as client:
        names = {each.name for each in await client.list_tools()}

    assert "db_query" in names
    assert "db_explain_query" not in names
    assert "db_activity" not in names
