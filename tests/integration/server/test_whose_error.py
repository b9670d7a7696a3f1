"""An error is told as what it is, and only a lost connection counts for the circuit."""

import asyncio
import shutil
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support import postgres
from tests.support.hub import HubFiles, hub_in_loop
from tests.support.postgres import PostgresServer, give_to_server, running_postgres
from tests.support.waiting import wait_until
from tools.cluster.pki import Authority, Subject
from tools.ports import reserve_port

from .test_failures import state, wait_for_state

DEAD_SERVER = """
CREATE EXTENSION postgres_fdw;
CREATE SERVER dead FOREIGN DATA WRAPPER postgres_fdw
  OPTIONS (host '127.0.0.1', port '{port}', connect_timeout '2');
CREATE USER MAPPING FOR PUBLIC SERVER dead OPTIONS (user 'x', password 'y');
CREATE FOREIGN TABLE public.far (id int) SERVER dead;
GRANT SELECT ON public.far TO reader;
CREATE FUNCTION public.raise(code text) RETURNS int LANGUAGE plpgsql AS
  $$BEGIN RAISE EXCEPTION 'row content' USING ERRCODE = code; END$$;
"""

RAISED = ("08001", "08006", "08P01", "57P01", "57P03", "53300", "28P01", "XX000")

SLOW = "SELECT count(*) FROM sales.orders a, sales.orders b, sales.orders c"

ACTIVE = (
    "SELECT {} FROM pg_stat_activity"
    " WHERE usename = 'reader' AND state = 'active' AND query LIKE '%sales.orders c%'"
    " AND now() - query_start > interval '500 ms'"
)
"""A statement that is parsed or planned is not yet that long at one step. Ended between
two steps, the server resets the connection before its reason is read."""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PostgresServer]:
    """A server with TLS, a foreign table of a dead one, and views that raise."""
    folder = tmp_path_factory.mktemp("tls")
    Authority(folder).issue(Subject("public", "db", (), ("127.0.0.1",)))
    keys = Path("/tmp") / f"mcphub-tls-{folder.name}-{reserve_port()}"
    shutil.copytree(folder, keys)
    give_to_server(keys)
    (keys / "public.key").chmod(0o600)
    settings = (
        f"ssl = on\nssl_cert_file = '{keys}/public.crt'\n"
        f"ssl_key_file = '{keys}/public.key'\n"
    )
    try:
        with running_postgres(settings) as running:
            raising = "".join(
                f"CREATE VIEW public.raise_{code.lower()} AS"
                f" SELECT public.raise('{code}') AS n;"
                f"GRANT SELECT ON public.raise_{code.lower()} TO reader;"
                for code in RAISED
            )
            sql = DEAD_SERVER.format(port=reserve_port()) + raising
            running.run_sql(sql, postgres.DATABASE)
            yield running
    finally:
        shutil.rmtree(keys)


def files_for(
    server: PostgresServer, folder: Path, options: dict[str, Any] | None = None
) -> HubFiles:
    return HubFiles(
        folder,
        {
            "backends": [
                {
                    "name": "postgres",
                    "postgres": {
                        "host": server.host,
                        "port": server.port,
                        "database": postgres.DATABASE,
                        **(options or {}),
                    },
                }
            ]
        },
        {
            "postgres": {
                "username": postgres.READER,
                "password": postgres.READER_PASSWORD,
            }
        },
    )


async def query(client: Any, sql: str) -> Any:
    return await client.call_tool_mcp("postgres_query", {"sql": sql})


def kind(answer: Any) -> str:
    return str(answer.meta["mcphub/error"]["kind"])


async def test_a1_a_statement_may_carry_any_code_and_opens_no_circuit(
    server: PostgresServer, tmp_path: Path
) -> None:
    tables = ["far", *(f"raise_{code.lower()}" for code in RAISED)]

    async with hub_in_loop(files_for(server, tmp_path)) as hub, hub.client() as client:
        answers = {}
        for table in tables:
            for _ in range(6):
                answers[table] = await query(client, f"TABLE {table}")
            after = await query(client, "SELECT 1")
            assert not after.is_error, table
        shown = await state(hub)

    assert {kind(answer) for answer in answers.values()} == {"query_failed"}
    assert "foreign server" in answers["far"].content[0].text
    assert "08001" in answers["far"].content[0].text
    assert not any("row content" in a.content[0].text for a in answers.values())
    assert shown["state"] == "Connected"


@pytest.mark.parametrize(
    ("mode", "words"),
    [
        ("disable", "without TLS"),
        ("prefer", "with TLS or without it"),
        ("require", "with TLS"),
    ],
)
async def test_a2_a_login_without_an_entry_in_pg_hba_says_so(
    server: PostgresServer, tmp_path: Path, mode: str, words: str
) -> None:
    hba = server.folder / "data" / "pg_hba.conf"
    before = hba.read_text()
    hba.write_text("host all postgres 127.0.0.1/32 scram-sha-256\n")
    server.run_sql("SELECT pg_reload_conf()")
    try:
        files = files_for(server, tmp_path, {"sslMode": mode})
        async with hub_in_loop(files) as hub:
            shown = await wait_for_state(hub, "Unreachable", "AccessDenied")
    finally:
        hba.write_text(before)
        server.run_sql("SELECT pg_reload_conf()")

    assert shown["reason"] == "AccessDenied"
    assert "pg_hba.conf" in shown["message"]
    assert f"user and database {words} (sslMode {mode}), or" in shown["message"]


async def test_a16_a_role_that_may_not_connect_reads_the_grant_to_run(
    server: PostgresServer, tmp_path: Path
) -> None:
    server.run_sql(
        'CREATE DATABASE "Closed"; REVOKE CONNECT ON DATABASE "Closed" FROM PUBLIC'
    )
    files = files_for(server, tmp_path, {"database": "Closed"})

    async with hub_in_loop(files) as hub:
        shown = await wait_for_state(hub, "Unreachable", "AccessDenied")

    assert shown["reason"] == "AccessDenied"
    assert 'GRANT CONNECT ON DATABASE "Closed" TO' in shown["message"]


async def end_statement(
    server: PostgresServer, function: str, call: asyncio.Task[Any]
) -> None:
    """Signal the statement until the call is over: one may come between two steps."""

    async def ended() -> bool:
        server.run_sql(ACTIVE.format(f"{function}(pid)"))
        return call.done()

    await wait_until(ended)


async def test_a4_a_cancel_is_told_from_a_timeout(
    server: PostgresServer, tmp_path: Path
) -> None:
    async with hub_in_loop(files_for(server, tmp_path)) as hub, hub.client() as client:
        call = asyncio.create_task(query(client, SLOW))
        await end_statement(server, "pg_cancel_backend", call)
        cancelled = await call

    assert kind(cancelled) == "query_failed"
    assert "cancelled" in cancelled.content[0].text
    assert "longer than" not in cancelled.content[0].text


async def test_a4_a_timeout_is_a_timeout(
    server: PostgresServer, tmp_path: Path
) -> None:
    files = files_for(server, tmp_path)
    config = {**files.config, "limits": {"statementTimeoutSeconds": 1}}
    files = HubFiles(files.folder, config, files.secrets)

    async with hub_in_loop(files) as hub, hub.client() as client:
        late = await query(client, SLOW)

    assert kind(late) == "query_timeout"
    assert "longer than 1 s" in late.content[0].text


async def test_a4_a_connection_that_an_administrator_ended_is_lost(
    server: PostgresServer, tmp_path: Path
) -> None:
    async with hub_in_loop(files_for(server, tmp_path)) as hub, hub.client() as client:
        call = asyncio.create_task(query(client, SLOW))
        await end_statement(server, "pg_terminate_backend", call)
        lost = await call

    assert kind(lost) == "backend_unavailable"
    assert "administrator" in lost.content[0].text


LARGE = {
    "an error that repeats a value": "SELECT repeat('x', 60000000)::int",
    "an error from within a function": (
        "SELECT (repeat('x', 60000000))::timestamptz FROM sales.orders LIMIT 1"
    ),
    "a plan that repeats a constant": (
        "EXPLAIN SELECT * FROM sales.orders WHERE repeat('x', 30000000) = total::text"
    ),
}


async def watch_loop(gaps: list[float]) -> None:
    """Note how long the event loop was busy with one thing."""
    while True:
        before = time.perf_counter()
        await asyncio.sleep(0.01)
        gaps.append(time.perf_counter() - before)


@pytest.mark.parametrize("sql", LARGE.values(), ids=LARGE.keys())
async def test_f1_a_huge_message_delays_no_other_call(
    server: PostgresServer, tmp_path: Path, sql: str
) -> None:
    gaps: list[float] = []
    async with hub_in_loop(files_for(server, tmp_path)) as hub, hub.client() as client:
        watching = asyncio.create_task(watch_loop(gaps))
        answers = [await query(client, sql) for _ in range(6)]
        after = await query(client, "SELECT 1")
        watching.cancel()
        shown = await state(hub)

    assert {kind(answer) for answer in answers} == {"query_failed"}
    assert "shorten values" in answers[0].content[0].text
    assert not after.is_error
    assert shown["state"] == "Connected"
    assert max(gaps) < 1.0  # the driver's own reading took 4 to 80 s
