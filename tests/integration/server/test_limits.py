"""What a limit refuses is an answer within the protocol, and says when to retry."""

import asyncio
import json
import re
import tracemalloc
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from tests.support import postgres
from tests.support.gate import WAIT, opened
from tests.support.hub import LoopHub, hub_in_loop
from tests.support.postgres import PostgresServer
from tests.support.waiting import wait_until

from .conftest import MakeHub


def stand_still() -> float:
    """A clock by which no call is gained, however long a test takes."""
    return 0.0


async def read_metrics(hub: LoopHub) -> str:
    async with httpx.AsyncClient(timeout=100) as http:
        return (await http.get(f"{hub.management}/metrics")).text


@pytest.mark.parametrize("transport", ["http", "sse"])
async def test_too_many_calls_are_tool_errors_with_a_hint(
    hub_files: MakeHub, transport: str
) -> None:
    files = hub_files(limits={"requestsPerSecond": 1, "burst": 6})
    async with hub_in_loop(files, stand_still) as hub, hub.client(transport) as client:
        answers = [await client.call_tool_mcp("health_check", {}) for _ in range(8)]
        metrics = await read_metrics(hub)

    refused = [answer for answer in answers if answer.is_error]
    assert refused
    assert not answers[0].is_error
    assert "try again in" in refused[0].content[0].text
    assert refused[0].meta["mcphub/error"]["kind"] == "limit_exceeded"
    assert refused[0].meta["mcphub/error"]["retryAfterSeconds"] > 0
    assert f'mcphub_requests_limited_total{{limit="rate"}} {len(refused)}.0' in metrics


async def test_other_requests_get_a_json_rpc_error(hub_files: MakeHub) -> None:
    files = hub_files(limits={"requestsPerSecond": 1, "burst": 1})
    async with (
        hub_in_loop(files, stand_still) as hub,
        httpx.AsyncClient(timeout=100) as http,
    ):
        answers = [
            await http.post(
                f"{hub.url}/mcp",
                json={"jsonrpc": "2.0", "id": 7, "method": "tools/list"},
                headers={
                    "Authorization": "Bearer secret-of-alice-1",
                    "Accept": "application/json, text/event-stream",
                    "MCP-Protocol-Version": "2025-11-25",
                },
            )
            for _ in range(2)
        ]

    error = read_message(answers[1])["error"]
    assert [answer.status_code for answer in answers] == [200, 200]
    assert error["code"] == -32029
    assert error["data"]["retryAfterSeconds"] > 0


def read_message(answer: httpx.Response) -> Any:
    """Return the message of a JSON body or of an event stream."""
    text = answer.text
    if answer.headers["content-type"].startswith("text/event-stream"):
        text = next(
            line.removeprefix("data: ")
            for line in text.splitlines()
            if line.startswith("data: {")
        )
    return json.loads(text)


async def test_one_client_does_not_use_up_anothers_calls(hub_files: MakeHub) -> None:
    files = hub_files(
        limits={"requestsPerSecond": 1, "burst": 4},
        tokens={"alice": "secret-of-alice-1", "bob": "secret-of-bob-22"},
    )
    async with hub_in_loop(files, stand_still) as hub:
        async with hub.client() as alice:
            spent = [await alice.call_tool_mcp("health_check", {}) for _ in range(6)]
        async with hub.client(token="secret-of-bob-22") as bob:
            answer = await bob.call_tool_mcp("health_check", {})

    assert spent[-1].is_error
    assert not answer.is_error


async def test_forged_addresses_do_not_make_new_clients(hub_files: MakeHub) -> None:
    files = hub_files(limits={"requestsPerSecond": 1, "burst": 3})
    codes = await flood(files)

    assert -32029 in codes


async def test_behind_a_trusted_proxy_each_address_has_its_own_calls(
    hub_files: MakeHub,
) -> None:
    files = hub_files(
        limits={"requestsPerSecond": 1, "burst": 3}, trustedProxies=["127.0.0.0/8"]
    )
    codes = await flood(files)

    assert codes == [0] * 8


async def flood(files: Any) -> list[int]:
    """Send requests from eight claimed addresses; return the error codes."""
    codes = []
    async with (
        hub_in_loop(files, stand_still) as hub,
        httpx.AsyncClient(timeout=100) as http,
    ):
        for number in range(8):
            answer = await http.post(
                f"{hub.url}/mcp",
                json={"jsonrpc": "2.0", "id": 7, "method": "tools/list"},
                headers={
                    "Authorization": "Bearer secret-of-alice-1",
                    "Accept": "application/json, text/event-stream",
                    "MCP-Protocol-Version": "2025-11-25",
                    "X-Forwarded-For": f"198.51.100.{number}",
                },
            )
            codes.append(read_message(answer).get("error", {}).get("code", 0))
    return codes


async def test_more_calls_than_places_are_told_to_come_back(
    hub_files: MakeHub, gated: PostgresServer
) -> None:
    files = hub_files(limits={"maxConcurrentCalls": 1, "statementTimeoutSeconds": 38})
    async with hub_in_loop(files) as hub, hub.client() as client:
        first = asyncio.create_task(
            client.call_tool_mcp("postgres_query", {"sql": WAIT})
        )
        await wait_until(lambda: hub.hub.state.calls == 1)

        second = await client.call_tool_mcp("postgres_query", {"sql": "SELECT 1"})
        health = await client.call_tool_mcp("health_check", {})

        async with opened(gated):
            await first
        metrics = await read_metrics(hub)
    assert second.meta["mcphub/error"]["kind"] == "limit_exceeded"
    assert not health.is_error
    assert 'mcphub_requests_limited_total{limit="concurrency"} 1.0' in metrics


@pytest.mark.parametrize(
    ("sql", "check"),
    [
        pytest.param(
            "SELECT repeat('x', 50000000)",
            lambda page: page["truncated"] and len(page["rows"][0][0]) < 200_000,
            id="a cell of 50 MB",
        ),
        pytest.param(
            "SELECT repeat('y', 30000) FROM generate_series(1, 90)",
            lambda page: page["truncated"] and page["next_cursor"],
            id="rows that are too many bytes together",
        ),
    ],
)
async def test_results_keep_to_the_byte_limit(
    hub_files: MakeHub, sql: str, check: Any
) -> None:
    files = hub_files(limits={"maxResultBytes": 100_000})
    async with hub_in_loop(files) as hub, hub.client() as client:
        answer = await client.call_tool("postgres_query", {"sql": sql})

    assert len(answer.content[0].text) <= 101_000
    assert check(answer.structured_content)


TALK = """
CREATE SCHEMA talk;
GRANT USAGE ON SCHEMA talk TO reader;
DO $$
DECLARE
  t text;
  long text := quote_literal(repeat('y', 300000));
BEGIN
  FOR number IN 0..9 LOOP
    t := 'talk.t' || number;
    EXECUTE 'CREATE TABLE ' || t || ' (a text DEFAULT ' || long || ', b text)';
    EXECUTE 'COMMENT ON TABLE ' || t || ' IS ' || long;
    EXECUTE 'COMMENT ON COLUMN ' || t || '.a IS ' || long;
    EXECUTE 'CREATE INDEX ON ' || t || ' (a) WHERE b <> '
      || quote_literal(left(long, 5000));
  END LOOP;
END $$;
GRANT SELECT ON ALL TABLES IN SCHEMA talk TO reader;
"""


@pytest.fixture
def talkative(shop: PostgresServer) -> Iterator[None]:
    """Tables of which far too much is said."""
    shop.run_sql(TALK, postgres.DATABASE)
    yield
    shop.run_sql("DROP SCHEMA talk CASCADE", postgres.DATABASE)


@pytest.mark.usefixtures("talkative")
async def test_what_a_catalog_says_keeps_to_the_byte_limit(hub_files: MakeHub) -> None:
    files = hub_files(limits={"maxResultBytes": 2_000})
    names: list[str] = []
    sizes: list[int] = []
    arguments = {"schema": "talk"}
    async with hub_in_loop(files) as hub, hub.client() as client:
        while True:
            listed = await client.call_tool("postgres_list_tables", arguments)
            page = listed.structured_content
            sizes.append(len(listed.content[0].text.encode()))
            names += [table["name"] for table in page["tables"]]
            assert page["truncated"]
            if page["next_cursor"] is None:
                break
            arguments["cursor"] = page["next_cursor"]
        described = await client.call_tool(
            "postgres_describe_table", {"table": "talk.t0"}
        )

    assert sorted(names) == sorted(f"t{number}" for number in range(10))
    assert max(sizes) <= 2_000
    assert len(described.content[0].text.encode()) <= 2_000
    assert described.structured_content["truncated"]
    assert [c["name"] for c in described.structured_content["columns"]] == ["a", "b"]


@pytest.mark.parametrize("columns", [1, 50, 1_600])
async def test_what_is_fetched_keeps_to_the_byte_limit_too(
    hub_files: MakeHub, columns: int
) -> None:
    """A page of wide rows is cut by the database, not once it is in memory."""
    cells = ", ".join(["r"] * columns)
    sql = (
        f"SELECT {cells} FROM (SELECT repeat('x', 32000) AS r) AS s,"  # noqa: S608
        " generate_series(1, 100)"
    )
    files = hub_files(limits={"maxResultBytes": 100_000})
    async with hub_in_loop(files) as hub, hub.client() as client:
        await client.call_tool("postgres_query", {"sql": "SELECT 1"})
        tracemalloc.start()
        try:
            answer = await client.call_tool("postgres_query", {"sql": sql})
            _, most = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()

    assert answer.structured_content["truncated"]
    assert answer.structured_content["row_count"] >= 1
    assert most < 8_000_000


async def test_a_row_of_characters_that_json_escapes_is_cut_too(
    hub_files: MakeHub,
) -> None:
    cells = ", ".join(["repeat(chr(1), 40000)"] * 24)
    async with hub_in_loop(hub_files()) as hub, hub.client() as client:
        answer = await client.call_tool("postgres_query", {"sql": f"SELECT {cells}"})

    assert answer.structured_content["row_count"] == 1
    assert answer.structured_content["truncated"]


@pytest.mark.parametrize(
    "sql",
    [
        pytest.param(
            "SELECT g, repeat('x', (g * 7919) % 9000) FROM generate_series(1, 60) g",
            id="rows of many sizes",
        ),
        pytest.param(
            "SELECT g, repeat('x', 32000) FROM generate_series(1, 7) g",
            id="each row more than a page",
        ),
        pytest.param(
            "SELECT g, ('0.' || repeat('0', 8000))::numeric"
            " FROM generate_series(1, 30) g",
            id="rows that shrink when they become JSON",
        ),
        pytest.param("SELECT g FROM generate_series(1, 250) g", id="small rows"),
    ],
)
async def test_pages_skip_and_repeat_no_row(hub_files: MakeHub, sql: str) -> None:
    files = hub_files(limits={"maxResultBytes": 20_000})
    seen: list[int] = []
    arguments: dict[str, Any] = {"sql": sql}
    async with hub_in_loop(files) as hub, hub.client() as client:
        while True:
            answer = await client.call_tool("postgres_query", arguments)
            page = answer.structured_content
            assert page["row_count"] > 0
            seen += [row[0] for row in page["rows"]]
            if page["next_cursor"] is None:
                break
            arguments["cursor"] = page["next_cursor"]

    assert seen == list(range(1, seen[-1] + 1))
    assert seen[-1] == int(re.findall(r"generate_series\(1, (\d+)", sql)[0])


async def test_a_cursor_is_of_no_use_to_another_client_or_statement(
    hub_files: MakeHub,
) -> None:
    files = hub_files(tokens={"alice": "secret-of-alice-1", "bob": "secret-of-bob-22"})
    sql = "SELECT id FROM sales.orders ORDER BY id"
    async with hub_in_loop(files) as hub:
        async with hub.client() as alice:
            page = await alice.call_tool("postgres_query", {"sql": sql, "limit": 5})
            cursor = page.structured_content["next_cursor"]
            forged = ("B" if cursor[9] == "A" else "A").join((cursor[:9], cursor[10:]))
            other = await alice.call_tool_mcp(
                "postgres_query", {"sql": "SELECT 1", "cursor": cursor}
            )
            changed = await alice.call_tool_mcp(
                "postgres_query", {"sql": sql, "cursor": forged}
            )
        async with hub.client(token="secret-of-bob-22") as bob:
            stolen = await bob.call_tool_mcp(
                "postgres_query", {"sql": sql, "cursor": cursor}
            )

    assert [a.meta["mcphub/error"]["kind"] for a in (other, changed, stolen)] == [
        "bad_argument"
    ] * 3


async def test_any_replica_takes_a_cursor(hub_files: MakeHub) -> None:
    files = hub_files()
    files.write()
    (files.folder / "keys").mkdir()
    (files.folder / "keys" / "state").write_text("k" * 32)
    sql = "SELECT id FROM sales.orders ORDER BY id"
    async with hub_in_loop(files) as first, first.client() as client:
        page = await client.call_tool("postgres_query", {"sql": sql, "limit": 5})

    cursor = page.structured_content["next_cursor"]
    async with hub_in_loop(files) as second, second.client() as client:
        following = await client.call_tool(
            "postgres_query", {"sql": sql, "limit": 1, "cursor": cursor}
        )

    assert following.structured_content["rows"] == [[6]]
