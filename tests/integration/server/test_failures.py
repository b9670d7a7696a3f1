"""Each reason why a database cannot be used, provoked on a real one."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import asyncpg
import httpx
import pytest
from fastmcp import Client

from mcphub_server.backends import orphans
from tests.support import hub_states, postgres
from tests.support.gate import WAIT, build_gate, opened, wait_for_waiting
from tests.support.hub import TOKEN, HubFiles, LoopHub, hub_in_loop
from tests.support.postgres import PostgresServer, running_postgres
from tests.support.proxies import running_proxy
from tests.support.waiting import wait_until
from tools.ports import reserve_port

from .conftest import MakeHub


async def state(hub: LoopHub) -> dict[str, Any]:
    async with httpx.AsyncClient(timeout=100) as http:
        body = (await http.get(f"{hub.management}/status")).json()
        backend: dict[str, Any] = body["backends"][0]
        return backend


async def wait_for_state(
    hub: LoopHub, wanted: str, reason: str | None = None
) -> dict[str, Any]:
    return await hub_states.wait_for_state(hub, "postgres", wanted, reason)


async def query(hub: LoopHub, sql: str = "SELECT 1") -> Any:
    async with hub.client() as client:
        return await client.call_tool_mcp("postgres_query", {"sql": sql})


@pytest.mark.parametrize(
    ("options", "password", "reason"),
    [
        pytest.param({}, "wrong", "BadCredentials", id="wrong password"),
        pytest.param({"database": "none"}, None, "UnknownDatabase", id="no database"),
        pytest.param({"port": "free"}, None, "ConnectionRefused", id="wrong port"),
        pytest.param(
            {"host": "db.invalid"}, None, "DNSFailure", id="a name that resolves not"
        ),
        pytest.param(
            {"sslMode": "require"}, None, "TLSFailure", id="a server without TLS"
        ),
    ],
)
async def test_a_database_that_cannot_be_used_says_why(
    hub_files: MakeHub, options: dict[str, Any], password: str | None, reason: str
) -> None:
    if options.get("port") == "free":
        options = {"port": reserve_port()}
    secrets = {"password": password} if password else {}
    files = hub_files(backend=options, **secrets)

    async with hub_in_loop(files) as hub:
        shown = await wait_for_state(hub, "Unreachable", reason)
        answer = await query(hub)

    assert shown["reason"] == reason
    assert shown["message"].startswith("postgres is unavailable: ")
    assert answer.is_error
    assert answer.meta["mcphub/error"]["kind"] == "backend_unavailable"
    assert "wrong" not in shown["message"].replace("password is wrong", "")


async def test_a_missing_secret_file_is_named(hub_files: MakeHub) -> None:
    files = hub_files()
    files.write()
    nothing = HubFiles(files.folder, files.config)
    (files.folder / "secrets" / "postgres" / "password").unlink()

    async with hub_in_loop(nothing) as hub:
        shown = await wait_for_state(hub, "Unreachable", "BadCredentials")

    assert shown["reason"] == "BadCredentials"
    assert "postgres/password is missing" in shown["message"]


async def test_a_rotated_password_is_used_without_a_restart(
    hub_files: MakeHub,
) -> None:
    async with hub_in_loop(hub_files(password="old")) as hub:
        await wait_for_state(hub, "Unreachable")

        hub_files().write()

        await wait_for_state(hub, "Connected")
        answer = await query(hub)
    assert not answer.is_error


@asynccontextmanager
async def own_server(settings: str = "") -> AsyncIterator[PostgresServer]:
    manager = running_postgres(settings)
    server = await asyncio.to_thread(manager.__enter__)
    try:
        yield server
    finally:
        await asyncio.to_thread(manager.__exit__, None, None, None)


def files_for(
    server: PostgresServer, folder: Path, timeout_seconds: int = 38, **options: Any
) -> HubFiles:
    backend = {
        "host": server.host,
        "port": server.port,
        "database": postgres.DATABASE,
        **options,
    }
    return HubFiles(
        folder,
        {
            "backends": [{"name": "postgres", "postgres": backend}],
            "limits": {"statementTimeoutSeconds": timeout_seconds},
        },
        {
            "postgres": {
                "username": postgres.READER,
                "password": postgres.READER_PASSWORD,
            }
        },
    )


async def use_connections(
    server: PostgresServer, client: Client[Any], count: int
) -> None:
    """Have as many statements at once, each over a connection of its own."""
    calls = [
        asyncio.create_task(client.call_tool_mcp("postgres_query", {"sql": WAIT}))
        for _ in range(count)
    ]
    await wait_for_waiting(server, count)
    async with opened(server):
        await asyncio.gather(*calls)


async def test_a_server_killed_in_mid_query_and_back_again(tmp_path: Path) -> None:
    async with (
        own_server() as server,
        hub_in_loop(files_for(server, tmp_path)) as hub,
        hub.client() as client,
    ):
        build_gate(server)
        call = asyncio.create_task(
            client.call_tool_mcp("postgres_query", {"sql": WAIT})
        )
        await wait_for_waiting(server, 1)

        await asyncio.to_thread(server.stop)

        answer = await call
        shown = await wait_for_state(hub, "Unreachable", "ConnectionRefused")
        await asyncio.to_thread(server.start)
        back = await wait_for_state(hub, "Connected")
        again = [
            await client.call_tool_mcp("postgres_query", {"sql": "SELECT 1"})
            for _ in range(8)
        ]

    assert answer.is_error
    assert "connection was lost" in answer.content[0].text
    assert shown["reason"] == "ConnectionRefused"
    assert back["message"] == ""
    assert not any(each.is_error for each in again)


async def test_a_restart_between_calls_fails_none(tmp_path: Path) -> None:
    async with (
        own_server() as server,
        hub_in_loop(files_for(server, tmp_path)) as hub,
        hub.client() as client,
    ):
        build_gate(server)
        await use_connections(server, client, 4)

        await asyncio.to_thread(server.restart)
        answers = await asyncio.gather(
            *(
                client.call_tool_mcp("postgres_query", {"sql": "SELECT 1"})
                for _ in range(20)
            )
        )

    assert [a.content[0].text for a in answers if a.is_error] == []


async def test_connections_that_the_database_ended_fail_no_call(
    tmp_path: Path,
) -> None:
    end = (
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
        " WHERE usename = 'reader'"
    )
    async with (
        own_server() as server,
        hub_in_loop(files_for(server, tmp_path)) as hub,
        hub.client() as client,
    ):
        build_gate(server)
        answers = []
        for _ in range(5):
            await use_connections(server, client, 4)
            # not in a thread: the hub learns of it only when it runs again
            server.run_sql(end)
            answers += await asyncio.gather(
                *(
                    client.call_tool_mcp("postgres_query", {"sql": "SELECT 1"})
                    for _ in range(8)
                )
            )

    assert [a.content[0].text for a in answers if a.is_error] == []


async def test_a_value_that_cannot_be_read_opens_no_circuit(
    tmp_path: Path, shop: PostgresServer
) -> None:
    async with hub_in_loop(files_for(shop, tmp_path)) as hub, hub.client() as client:
        unreadable = [
            await client.call_tool_mcp("postgres_query", {"sql": sql})
            for sql in ["SELECT NULL::pg_proc", "SELECT NULL::pg_attribute"] * 4
        ]
        after = await client.call_tool_mcp("postgres_query", {"sql": "SELECT 1"})

    kinds = {answer.meta["mcphub/error"]["kind"] for answer in unreadable}
    assert kinds == {"query_failed"}
    assert "cast it to text" in unreadable[0].content[0].text
    assert not after.is_error


async def test_too_many_connections(tmp_path: Path) -> None:
    async with own_server("max_connections = 6\n") as server:
        taken = [await connect(server) for _ in range(3)]

        async with hub_in_loop(files_for(server, tmp_path)) as hub:
            shown = await wait_for_state(hub, "Unreachable", "TooManyConnections")
            for connection in taken:
                await connection.close()
            await wait_for_state(hub, "Connected")

    assert shown["reason"] == "TooManyConnections"


async def connect(server: PostgresServer) -> Any:
    return await asyncpg.connect(
        host=server.host,
        port=server.port,
        user=postgres.READER,
        password=postgres.READER_PASSWORD,
        database=postgres.DATABASE,
    )


async def test_a_server_that_demands_tls(tmp_path: Path) -> None:
    async with own_server() as server:
        rules = server.folder / "data" / "pg_hba.conf"
        rules.write_text(
            "local all all scram-sha-256\n"
            "hostssl all reader all scram-sha-256\n"
            "host all postgres all scram-sha-256\n"
        )
        await asyncio.to_thread(server.restart)

        async with hub_in_loop(files_for(server, tmp_path)) as hub:
            shown = await wait_for_state(hub, "Unreachable", "AccessDenied")

    assert shown["reason"] == "AccessDenied"
    assert "sslMode" in shown["message"]


async def test_a_statement_past_its_time_is_stopped_on_the_server(
    tmp_path: Path, gated: PostgresServer
) -> None:
    async with hub_in_loop(files_for(gated, tmp_path, 1)) as hub:
        answer = await query(hub, WAIT)
        await wait_for_waiting(gated, 0)

    assert answer.meta["mcphub/error"]["kind"] == "query_timeout"
    assert "longer than 1 s" in answer.content[0].text


PATIENT_SECONDS = 100.0
"""For a question to a server that a busy machine makes slow."""

UNSTOPPABLE = """
CREATE VIEW sales.unstoppable AS SELECT a && b AS meet FROM (SELECT
  polygon(points, circle '((0,0),1)') AS a, polygon(points, circle '((0,0),2)') AS b
  FROM generate_series(40000, 40000) AS points) AS p;
GRANT SELECT ON sales.unstoppable TO reader
"""
COUNT_UNSTOPPABLE = (
    "SELECT count(*) FROM pg_stat_activity"
    " WHERE state = 'active' AND query LIKE '%sales.unstoppable%'"
    " AND usename = 'reader'"
)


async def test_a_statement_that_cannot_be_stopped_keeps_its_place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(orphans, "ASK_TIMEOUT_SECONDS", PATIENT_SECONDS)
    async with own_server() as server:
        server.run_sql(UNSTOPPABLE, postgres.DATABASE)
        files = replace(
            files_for(server, tmp_path, 1, pool={"maxSize": 3}),
            tokens={"alice": "secret-of-alice-1", "bob": "secret-of-bob-22"},
        )
        async with (
            hub_in_loop(files) as hub,
            hub.client() as client,
            hub.client(token="secret-of-bob-22") as other,
        ):
            endless = {"sql": "TABLE sales.unstoppable"}
            answers = [await client.call_tool_mcp("postgres_query", endless)]
            between = await client.call_tool_mcp("postgres_query", {"sql": "SELECT 1"})
            answers.append(await client.call_tool_mcp("postgres_query", endless))
            answers += await asyncio.gather(
                *(client.call_tool_mcp("postgres_query", endless) for _ in range(5))
            )
            running = int(server.run_sql(COUNT_UNSTOPPABLE))
            others = await other.call_tool_mcp("postgres_query", {"sql": "SELECT 1"})
            shown = await state(hub)

            await asyncio.to_thread(server.stop)  # the end of them all
            await asyncio.to_thread(server.start)
            await wait_for_state(hub, "Connected")
            after = await client.call_tool_mcp("postgres_query", {"sql": "SELECT 1"})

    kinds = [answer.meta["mcphub/error"]["kind"] for answer in answers]
    assert kinds == ["query_timeout"] * 2 + ["limit_exceeded"] * 5
    assert not between.is_error
    assert running == 2
    assert not others.is_error
    assert shown["state"] == "Connected"
    assert not after.is_error


async def test_a_call_that_is_cancelled_leaves_its_endless_statement_in_its_place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(orphans, "ASK_TIMEOUT_SECONDS", PATIENT_SECONDS)
    async with own_server() as server:
        server.run_sql(UNSTOPPABLE, postgres.DATABASE)
        files = files_for(server, tmp_path, 30, pool={"maxSize": 3})
        async with hub_in_loop(files) as hub:
            for number in (1, 2):
                await begin_and_leave(hub, server, number)
            await wait_until(lambda: count_in_use(hub) == 0)
            async with hub.client() as client:
                third = await client.call_tool_mcp(
                    "postgres_query", {"sql": "SELECT 1"}
                )
            await asyncio.to_thread(server.stop)

    assert third.meta["mcphub/error"]["kind"] == "limit_exceeded"


async def begin_and_leave(hub: LoopHub, server: PostgresServer, running: int) -> None:
    """Call for an endless statement, and close the connection once it runs."""
    accept = "application/json, text/event-stream"
    headers = {"Authorization": f"Bearer {TOKEN}", "Accept": accept}
    call = {"name": "postgres_query", "arguments": {"sql": "TABLE sales.unstoppable"}}
    body = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": call}
    async with httpx.AsyncClient(timeout=PATIENT_SECONDS) as http:
        sent = asyncio.create_task(
            http.post(f"{hub.url}/mcp", json=body, headers=headers)
        )
        await wait_until(lambda: int(server.run_sql(COUNT_UNSTOPPABLE)) == running)
        sent.cancel()
        await asyncio.gather(sent, return_exceptions=True)


def count_in_use(hub: LoopHub) -> int:
    """Return how many connections the pool holds."""
    usage = hub.hub.monitors[0].backend.pool_usage()
    return usage.in_use if usage else 0


async def test_a_statement_of_which_the_database_says_nothing_keeps_its_place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(orphans, "ASK_TIMEOUT_SECONDS", 0)
    async with own_server() as server:
        server.run_sql(UNSTOPPABLE, postgres.DATABASE)
        files = files_for(server, tmp_path, 1, pool={"maxSize": 2})
        async with hub_in_loop(files) as hub, hub.client() as client:
            endless = {"sql": "TABLE sales.unstoppable"}
            first = await client.call_tool_mcp("postgres_query", endless)
            second = await client.call_tool_mcp("postgres_query", endless)

            monkeypatch.setattr(orphans, "ASK_TIMEOUT_SECONDS", PATIENT_SECONDS)
            third = await client.call_tool_mcp("postgres_query", endless)
            running = int(server.run_sql(COUNT_UNSTOPPABLE))
            await asyncio.to_thread(server.stop)

    kinds = [each.meta["mcphub/error"]["kind"] for each in (first, second, third)]
    assert kinds == ["backend_unavailable", "limit_exceeded", "limit_exceeded"]
    assert running == 1


async def test_a_proxy_that_hangs_is_told_and_left_behind(
    tmp_path: Path, shop: PostgresServer
) -> None:
    async with (
        running_proxy(shop.port) as proxy,
        hub_in_loop(files_for(shop, tmp_path, 1, port=proxy.port)) as hub,
    ):
        await wait_for_state(hub, "Connected")

        proxy.hang()
        answer = await query(hub)
        shown = await wait_for_state(hub, "Unreachable", "Timeout")

        proxy.resume()
        await wait_for_state(hub, "Connected")
        again = await query(hub)

    assert answer.meta["mcphub/error"]["kind"] == "backend_unavailable"
    assert shown["reason"] == "Timeout"
    assert not again.is_error


async def test_the_open_circuit_answers_at_once_and_shows(
    tmp_path: Path,
) -> None:
    files = HubFiles(
        tmp_path,
        {
            "backends": [
                {
                    "name": "postgres",
                    "postgres": {
                        "host": "127.0.0.1",
                        "port": reserve_port(),
                        "database": "x",
                    },
                }
            ]
        },
        {"postgres": {"username": "u", "password": "p"}},
    )
    async with hub_in_loop(files) as hub, hub.client() as client:
        answers = [
            await client.call_tool_mcp("postgres_query", {"sql": "SELECT 1"})
            for _ in range(7)
        ]
        async with httpx.AsyncClient(timeout=100) as http:
            metrics = (await http.get(f"{hub.management}/metrics")).text
        health = await client.call_tool("health_check")

    assert "calls are refused until it answers" in answers[-1].content[0].text
    assert answers[-1].meta["mcphub/error"]["retryAfterSeconds"] > 0
    assert 'mcphub_backend_circuit_open{backend="postgres"} 1.0' in metrics
    assert health.structured_content["status"] == "degraded"


async def test_all_connections_busy_is_a_limit_not_an_outage(
    tmp_path: Path, gated: PostgresServer
) -> None:
    files = files_for(gated, tmp_path, pool={"maxSize": 1})
    async with hub_in_loop(files) as hub, hub.client() as client:
        await wait_for_state(hub, "Connected")
        busy = asyncio.create_task(
            client.call_tool_mcp("postgres_query", {"sql": WAIT})
        )
        # the query itself: a probe holds a connection too, for a moment
        await wait_for_waiting(gated, 1)

        second = await client.call_tool_mcp("postgres_query", {"sql": "SELECT 1"})

        async with opened(gated):
            await busy
        await wait_for_state(hub, "Connected")
    assert second.meta["mcphub/error"]["kind"] == "limit_exceeded"
    assert "All 1 connections to postgres are busy" in second.content[0].text
