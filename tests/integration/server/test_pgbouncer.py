"""The same database through a real PgBouncer in transaction mode."""

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from mcphub_server.backends import orphans
from tests.support import postgres
from tests.support.gate import WAIT
from tests.support.hub import hub_in_loop
from tests.support.pgbouncer import running_pgbouncer
from tests.support.postgres import PostgresServer

from .conftest import MakeHub
from .test_failures import (
    PATIENT_SECONDS,
    UNSTOPPABLE,
    files_for,
    own_server,
    query,
    wait_for_state,
)


@pytest.fixture(scope="module")
def pooler(shop: PostgresServer) -> Iterator[int]:
    with running_pgbouncer(shop) as port:
        yield port


async def test_all_tools_work_at_once_over_two_shared_connections(
    hub_files: MakeHub, pooler: int
) -> None:
    files = hub_files(backend={"port": pooler, "pooler": True})
    calls: list[tuple[str, dict[str, Any]]] = [
        ("postgres_query", {"sql": "SELECT count(*), 'a'::text FROM sales.orders"}),
        ("postgres_query", {"sql": "SELECT ARRAY[1.5, 2], now() < 'infinity'"}),
        ("postgres_query", {"sql": "SELECT nope"}),
        ("postgres_query", {"sql": "SELECT 1 / (id - id) FROM sales.orders"}),
        ("postgres_list_tables", {}),
        ("postgres_describe_table", {"table": "sales.orders"}),
    ]
    wrong: list[list[bool]] = []
    async with hub_in_loop(files) as hub, hub.client() as client:
        for _ in range(8):
            asked = [client.call_tool_mcp(*call) for call in calls]
            wrong.append([answer.is_error for answer in await asyncio.gather(*asked)])

    assert wrong == [[False, False, True, True, False, False]] * 8


async def test_a_transaction_stays_read_only_and_is_ended(
    hub_files: MakeHub, pooler: int, gated: PostgresServer
) -> None:
    files = hub_files(
        backend={"port": pooler, "pooler": True}, limits={"statementTimeoutSeconds": 2}
    )
    async with hub_in_loop(files) as hub:
        shown = await query(hub, "SHOW transaction_read_only")
        timed_out = await query(hub, WAIT)
        after = await query(hub, "SHOW statement_timeout")
    left = gated.run_sql(
        "SELECT count(*) FROM pg_stat_activity WHERE usename = 'reader' "
        "AND state LIKE '%transaction%'"
    )

    assert shown.structured_content["rows"] == [["on"]]
    assert timed_out.meta["mcphub/error"]["kind"] == "query_timeout"
    assert after.structured_content["rows"] == [["2s"]]
    assert int(left) == 0


async def test_a_statement_that_cannot_be_stopped_is_known_behind_a_pooler(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(orphans, "ASK_TIMEOUT_SECONDS", PATIENT_SECONDS)
    async with own_server() as server:
        server.run_sql(UNSTOPPABLE, postgres.DATABASE)
        with running_pgbouncer(server) as port:
            backend = {"port": port, "pooler": True, "pool": {"maxSize": 2}}
            files = files_for(server, tmp_path, 1, **backend)
            async with hub_in_loop(files) as hub:
                endless = await query(hub, "TABLE sales.unstoppable")
                next_one = await query(hub)
                await asyncio.to_thread(server.stop)

    assert endless.meta["mcphub/error"]["kind"] == "query_timeout"
    assert next_one.meta["mcphub/error"]["kind"] == "limit_exceeded"


@pytest.mark.parametrize(
    ("options", "password", "reason"),
    [
        pytest.param({}, "wrong", "BadCredentials", id="wrong password"),
        pytest.param({"database": "none"}, None, "UnknownDatabase", id="no such pool"),
        pytest.param(
            {"database": "ghost"}, None, "UnknownDatabase", id="no database behind it"
        ),
        pytest.param({"database": "cold"}, None, "Timeout", id="no server behind it"),
    ],
)
async def test_the_poolers_refusals_have_reasons_too(
    hub_files: MakeHub,
    pooler: int,
    options: dict[str, Any],
    password: str | None,
    reason: str,
) -> None:
    secrets = {"password": password} if password else {}
    files = hub_files(backend={"port": pooler, "pooler": True, **options}, **secrets)

    async with hub_in_loop(files) as hub:
        shown = await wait_for_state(hub, "Unreachable", reason)

    assert shown["reason"] == reason


async def test_too_many_clients_of_the_pooler(
    hub_files: MakeHub, shop: PostgresServer
) -> None:
    with running_pgbouncer(shop, max_clients=1) as port:
        files = hub_files(backend={"port": port, "pooler": True})
        async with hub_in_loop(files) as first:
            await wait_for_state(first, "Connected")
            async with hub_in_loop(files) as second:
                shown = await wait_for_state(
                    second, "Unreachable", "TooManyConnections"
                )

    assert shown["reason"] == "TooManyConnections"
