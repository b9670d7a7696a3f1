"""Declared tools on a real PostgreSQL, by the real client."""

import asyncio
import json
from typing import Any

import httpx
import pytest
import yaml

from tests.support import postgres
from tests.support.hub import LoopHub, hub_in_loop
from tests.support.postgres import PostgresServer

from .conftest import TOKENS, OpenHub, wait_for_status

TICKETS: dict[str, Any] = {
    "name": "tickets_since",
    "title": "Tickets since a day",
    "description": "Tickets opened since a day, newest first.",
    "backend": "db",
    "statement": "SELECT id, opened, price FROM desk_open.tickets -- not $9\n"
    "WHERE opened >= $1 AND price <= $2 AND urgent = $3 AND id = ANY ($4)"
    " AND seen_at >= $5 ORDER BY id DESC",
    "parameters": [
        {"name": "since", "type": "date", "description": "The first day."},
        {"name": "most", "type": "number", "default": "1000", "minimum": 0},
        {"name": "urgent", "type": "boolean", "default": "false"},
        {"name": "ids", "type": "array", "items": {"type": "integer", "minimum": 1}},
        {"name": "seen", "type": "timestamp", "default": "2026-01-01T00:00:00"},
    ],
    "limits": {"maxRows": 3, "statementTimeoutSeconds": 5},
}


def tool(**changes: Any) -> dict[str, Any]:
    return {
        "name": "made",
        "description": "Made for a test.",
        "backend": "db",
        "statement": "SELECT 1 AS one",
        **changes,
    }


def integer(name: str, **more: Any) -> dict[str, Any]:
    return {"name": name, "type": "integer", **more}


@pytest.fixture(autouse=True, scope="module")
def _open_tickets(shop: PostgresServer) -> None:
    """The tickets without policies, for tests that are about tools alone."""
    shop.run_sql(
        "CREATE SCHEMA desk_open; GRANT USAGE ON SCHEMA desk_open TO reader;"
        "CREATE TABLE desk_open.tickets AS SELECT * FROM desk.tickets;"
        "GRANT SELECT ON desk_open.tickets TO reader;"
        "CREATE FUNCTION desk_open.twice(n bigint) RETURNS bigint STABLE LANGUAGE sql"
        " AS 'SELECT 2 * n';"
        "CREATE FUNCTION desk_open.writes(n bigint) RETURNS bigint LANGUAGE sql"
        " AS 'SELECT 2 * n';"
        "CREATE FUNCTION desk_open.as_owner(n bigint) RETURNS bigint STABLE"
        " SECURITY DEFINER LANGUAGE sql AS 'SELECT 2 * n'",
        postgres.DATABASE,
    )


async def call(hub: LoopHub, name: str, client: str = "acme", **arguments: Any) -> Any:
    async with hub.client(token=TOKENS[client]) as connected:
        return await connected.call_tool_mcp(name, arguments)


async def read_status(hub: LoopHub) -> dict[str, Any]:
    return await wait_for_status(hub, lambda _: True)


def state_of(status: dict[str, Any], name: str) -> dict[str, Any]:
    (found,) = [each for each in status["tools"] if each["name"] == name]
    return found


async def test_a_declared_tool_is_listed_with_its_schema_and_never_its_statement(
    open_hub: OpenHub,
) -> None:
    async with (
        open_hub(live={"tools": [TICKETS]}) as hub,
        hub.client(token=TOKENS["acme"]) as client,
    ):
        listed = await client.list_tools()
    raw = json.dumps([each.model_dump(mode="json", by_alias=True) for each in listed])

    (found,) = [each for each in listed if each.name == "tickets_since"]
    schema = found.input_schema
    assert "desk_open" not in raw
    assert found.title == "Tickets since a day"
    assert found.annotations is not None
    assert found.annotations.read_only_hint
    assert schema["additionalProperties"] is False
    assert schema["required"] == ["since", "ids"]
    assert schema["properties"]["since"] == {
        "type": "string",
        "description": "The first day. A date such as 2026-01-31.",
    }
    assert schema["properties"]["most"] == {
        "type": "number",
        "minimum": 0,
        "default": 1000.0,
    }
    assert schema["properties"]["ids"] == {
        "type": "array",
        "items": {"type": "integer", "minimum": 1},
    }
    assert set(schema["properties"]) == {
        *("since", "most", "urgent", "ids", "seen", "limit", "cursor")
    }


async def test_values_reach_the_database_as_their_declared_types(
    open_hub: OpenHub,
) -> None:
    async with open_hub(live={"tools": [TICKETS]}) as hub:
        found = await call(
            hub, "tickets_since", since="2026-01-05", ids=[2, 4, 5, 7, 8], most=10.5
        )

    assert found.structured_content["columns"] == ["id", "opened", "price"]
    assert found.structured_content["rows"] == [
        [7, "2026-01-08", 10.5],
        [5, "2026-01-06", 7.5],
        [4, "2026-01-05", 6.0],
    ]


async def test_pages_follow_one_another_under_the_tools_own_limit(
    open_hub: OpenHub,
) -> None:
    given = {"since": "2026-01-01", "ids": [1, 2, 4, 5, 7]}
    async with open_hub(live={"tools": [TICKETS]}) as hub:
        first = (await call(hub, "tickets_since", **given)).structured_content
        cursor = first["next_cursor"]
        second = (
            await call(hub, "tickets_since", **given, cursor=cursor)
        ).structured_content
        borrowed = await call(hub, "tickets_since", "globex", **given, cursor=cursor)
        other = await call(
            hub, "tickets_since", since="2026-01-02", ids=[1], cursor=cursor
        )

    assert [row[0] for row in first["rows"]] == [7, 5, 4]
    assert [row[0] for row in second["rows"]] == [2, 1]
    assert second["next_cursor"] is None
    assert borrowed.meta["mcphub/error"]["kind"] == "bad_argument"
    assert other.meta["mcphub/error"]["kind"] == "bad_argument"


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        ({"ids": [1]}, "since"),
        ({"since": "2026-02-30", "ids": [1]}, "since"),
        ({"since": "20260201", "ids": [1]}, "since"),
        ({"since": "2026-01-01", "ids": ["x"]}, "ids.0"),
        ({"since": "2026-01-01", "ids": [0]}, "ids.0"),
        ({"since": "2026-01-01", "ids": [True]}, "ids.0"),
        ({"since": "2026-01-01", "ids": [1], "most": -1}, "most"),
        ({"since": "2026-01-01", "ids": [1], "most": "NaN"}, "most"),
        ({"since": "2026-01-01", "ids": [1], "seen": "yesterday"}, "seen"),
        ({"since": "2026-01-01", "ids": [1], "statement": "SELECT 1"}, "statement"),
        ({"since": "'; DROP TABLE x; --", "ids": [1]}, "since"),
    ],
)
async def test_arguments_that_do_not_fit_are_named(
    open_hub: OpenHub, arguments: dict[str, Any], problem: str
) -> None:
    async with open_hub(live={"tools": [TICKETS]}) as hub:
        found = await call(hub, "tickets_since", **arguments)

    assert found.is_error
    assert found.meta["mcphub/error"]["kind"] == "bad_argument"
    assert problem in found.content[0].text
    assert "desk_open" not in found.content[0].text


BAD = [
    pytest.param(
        {"statement": "DELETE FROM desk_open.tickets"},
        "StatementRejected",
        "DELETE",
        id="it writes",
    ),
    pytest.param(
        {"statement": "SELECT pg_sleep(1)"},
        "StatementRejected",
        "pg_sleep",
        id="it calls what is not known to read",
    ),
    pytest.param(
        {"statement": "EXPLAIN SELECT 1"}, "StatementRejected", "SELECT", id="a plan"
    ),
    pytest.param(
        {"statement": "SELECT * FROM nowhere"},
        "DatabaseRefused",
        "nowhere",
        id="no such table",
    ),
    pytest.param(
        {"statement": "SELECT $1"}, "StatementRejected", "$1", id="no such parameter"
    ),
    pytest.param(
        {"parameters": [integer("n")]},
        "StatementRejected",
        "$1",
        id="an unused parameter",
    ),
    pytest.param(
        {"statement": "SELECT left('x', $1)", "parameters": [integer("n")]},
        "DatabaseRefused",
        "left",
        id="types that do not fit",
    ),
    pytest.param(
        {
            "statement": "SELECT $1",
            "parameters": [integer("n", default=5, maximum=4)],
        },
        "BadParameters",
        "default",
        id="a default beyond its bounds",
    ),
    pytest.param(
        {
            "statement": "SELECT $1",
            "parameters": [{"name": "s", "type": "string", "pattern": "(?=x)"}],
        },
        "BadParameters",
        "s",
        id="a pattern of another dialect",
    ),
    pytest.param({"backend": "other"}, "UnknownBackend", "other", id="no backend"),
    pytest.param(
        {"name": "db_query"}, "AlreadyExists", "built-in", id="a built-in name"
    ),
    pytest.param({"colour": "red"}, "Unreadable", "colour", id="an unknown field"),
    pytest.param(
        {"statement": "SELECT desk_open.twice(1)"},
        "StatementRejected",
        "desk_open.twice",
        id="a function that is not allowed",
    ),
]


@pytest.mark.parametrize(("changes", "reason", "named"), BAD)
async def test_one_bad_tool_says_what_is_wrong_and_takes_no_other(
    open_hub: OpenHub, changes: dict[str, Any], reason: str, named: str
) -> None:
    live = {"tools": [TICKETS, tool(**changes)]}
    async with open_hub(live=live) as hub:
        status = await read_status(hub)
        async with hub.client(token=TOKENS["acme"]) as client:
            names = [each.name for each in await client.list_tools()]
            good = await client.call_tool_mcp(
                "tickets_since", {"since": "2026-01-01", "ids": [1]}
            )

    found = state_of(status, changes.get("name", "made"))
    assert (found["state"], found["reason"]) == ("Invalid", reason)
    assert named in found["message"]
    assert state_of(status, "tickets_since")["state"] == "Ready"
    assert "made" not in names
    assert not good.is_error


async def test_a_tool_is_checked_again_when_its_table_comes_and_goes(
    open_hub: OpenHub, shop: PostgresServer
) -> None:
    gone = tool(statement="SELECT id FROM desk_open.later")
    make = (
        "CREATE TABLE desk_open.later (id int);"
        "GRANT SELECT ON desk_open.later TO reader"
    )
    shop.run_sql(make, postgres.DATABASE)
    async with open_hub(live={"tools": [gone]}) as hub:
        fine = await call(hub, "made")
        shop.run_sql("DROP TABLE desk_open.later", postgres.DATABASE)
        failed = await call(hub, "made")
        status = await wait_for_status(
            hub, lambda each: state_of(each, "made")["state"] == "Invalid"
        )

    assert not fine.is_error
    assert failed.meta["mcphub/error"]["kind"] == "query_failed"
    assert "later" not in failed.content[0].text
    assert "later" in state_of(status, "made")["message"]


async def test_allowed_functions_must_keep_to_reading(open_hub: OpenHub) -> None:
    tools = [
        tool(
            name=name,
            statement=f"SELECT desk_open.{name}($1) AS n",
            parameters=[integer("n")],
        )
        for name in ("twice", "writes", "as_owner")
    ]
    allowed = [f"desk_open.{each['name']}" for each in tools]
    async with open_hub(
        live={"tools": tools}, backend={"allowedFunctions": allowed}
    ) as hub:
        status = await read_status(hub)
        found = await call(hub, "twice", n=21)
        free = await call(hub, "db_query", sql="SELECT desk_open.twice(1)")

    assert [each["state"] for each in status["tools"]] == [
        *("Ready", "Invalid", "Invalid")
    ]
    assert found.structured_content["rows"] == [[42]]
    assert free.meta["mcphub/error"]["kind"] == "rejected"


@pytest.mark.parametrize(
    ("wanted", "left"),
    [
        ({"mode": "None"}, set()),
        ({"mode": "Selected", "selected": ["list_tables"]}, {"db_list_tables"}),
        ({"mode": "Selected"}, set()),
        (
            {},
            {"db_query", "db_list_tables", "db_describe_table", "db_search_objects"},
        ),
    ],
)
async def test_built_in_tools_are_those_that_are_wanted(
    open_hub: OpenHub, wanted: dict[str, Any], left: set[str]
) -> None:
    entry = {"builtInTools": wanted}
    async with open_hub(live={"tools": [TICKETS]}, entry=entry) as hub:
        async with hub.client(token=TOKENS["acme"]) as client:
            names = {each.name for each in await client.list_tools()}
            services = await client.call_tool("list_services", {})
        refused = await call_raw(hub, "db_query")

    assert names == {"health_check", "list_services", "tickets_since"} | left
    assert set(services.structured_content["services"]["db"]["tools"]) == (
        {"tickets_since"} | left
    )
    assert refused["result"]["isError"] == ("db_query" not in left)


async def call_raw(hub: LoopHub, name: str, token: str = "acme") -> dict[str, Any]:
    """Return the JSON-RPC answer of a call, protocol errors included."""
    message = {
        "jsonrpc": "2.0",
        "id": 1,
        "method": "tools/call",
        "params": {"name": name, "arguments": {"sql": "SELECT 1"}},
    }
    headers = {
        "Authorization": f"Bearer {TOKENS[token]}",
        "Accept": "application/json, text/event-stream",
        "MCP-Protocol-Version": "2025-06-18",
    }
    async with httpx.AsyncClient() as http:
        answer = await http.post(f"{hub.url}/mcp", json=message, headers=headers)
    text = answer.text
    if text.startswith("event:") or "\ndata:" in text:
        data = [line for line in text.splitlines() if line.startswith("data: {")]
        text = data[-1].removeprefix("data: ")
    found: dict[str, Any] = json.loads(text)
    return found


async def test_changes_count_without_a_restart_and_bad_ones_change_nothing(
    build_files: Any,
) -> None:
    files = build_files(live={"tools": [tool()]})
    async with hub_in_loop(files) as hub:
        first = await wait_for_status(
            hub, lambda each: state_of(each, "made")["state"] == "Ready"
        )
        files.write_live("tools: [")
        broken = await wait_for_status(hub, lambda s: s["configuration"]["problem"])
        still = await call(hub, "made")
        files.write_live(yaml.safe_dump({"tools": [tool(name="other")]}))
        second = await wait_for_status(
            hub,
            lambda each: (
                [(t["name"], t["state"]) for t in each["tools"]] == [("other", "Ready")]
            ),
        )
        other = await call(hub, "other")

    assert broken["configuration"]["digest"] == first["configuration"]["digest"]
    assert not still.is_error
    assert second["configuration"]["problem"] == ""
    assert second["configuration"]["digest"] != first["configuration"]["digest"]
    assert not other.is_error


async def test_a_broken_file_at_the_start_allows_nothing(build_files: Any) -> None:
    files = build_files()
    files.write()
    files.write_live("access: {rules: [{}]}")
    async with hub_in_loop(files) as hub:
        async with hub.client(token=TOKENS["acme"]) as client:
            names = {each.name for each in await client.list_tools()}
        status = await read_status(hub)

    assert names == {"health_check", "list_services"}
    assert "tools is missing" in status["configuration"]["problem"]


async def test_an_unreachable_database_leaves_tools_unchecked_and_listed(
    build_files: Any,
) -> None:
    files = build_files(live={"tools": [TICKETS]}, backend={"host": "127.0.0.2"})
    async with hub_in_loop(files) as hub:
        status = await read_status(hub)
        async with hub.client(token=TOKENS["acme"]) as client:
            names = {each.name for each in await client.list_tools()}
        found = await asyncio.wait_for(
            call(hub, "tickets_since", since="2026-01-01", ids=[1]), 60
        )

    assert state_of(status, "tickets_since")["state"] == "Unchecked"
    assert "tickets_since" in names
    assert found.meta["mcphub/error"]["kind"] == "backend_unavailable"
