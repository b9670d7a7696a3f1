"""Who may call what: listed and callable are the same, on every way to a hub."""

import asyncio
import json
from contextlib import AsyncExitStack
from typing import Any

import httpx
import pytest
import yaml
from fastmcp.client.messages import MessageHandler
from mcp.shared.exceptions import MCPError
from structlog.testing import capture_logs

from tests.support.hub import LoopHub, hub_in_loop

from .conftest import TOKENS, OpenHub, wait_until_checked
from .test_declared_tools import call, tool

ALWAYS = {"health_check", "list_services"}
RULES = {
    "rules": [
        {"clients": ["acme"], "tools": ["db_*"]},
        {"clients": ["acme", "glob*"], "tools": ["made"]},
        {"clients": ["another"], "tools": ["*"]},
    ]
}
MAY = {
    "acme": ALWAYS
    | {
        *("db_query", "db_list_tables", "db_describe_table", "db_search_objects"),
        "made",
    },
    "globex": ALWAYS | {"made"},
    "eve": ALWAYS,
}
ARGUMENTS: dict[str, dict[str, Any]] = {
    "db_query": {"sql": "SELECT 1"},
    "db_describe_table": {"table": "sales.orders"},
    "db_search_objects": {"pattern": "order"},
}
LIVE = {"tools": [tool()], "access": RULES}
MODERN = "2026-07-28"


WAYS = [
    pytest.param("http", "legacy", "Stateless", id="http"),
    pytest.param("http", "legacy", "Stateful", id="http with sessions"),
    pytest.param("http", MODERN, "Stateless", id="http of 2026-07-28"),
    pytest.param("http", MODERN, "Stateful", id="http of 2026-07-28 beside sessions"),
    pytest.param("sse", "legacy", "Stateless", id="sse"),
    pytest.param("websocket", "legacy", "Stateless", id="websocket"),
    pytest.param("websocket", MODERN, "Stateless", id="websocket of 2026-07-28"),
]


def build_transports(sessions: str) -> dict[str, Any]:
    return {"streamableHTTP": {"sessions": sessions}, "webSocket": {"enabled": True}}


@pytest.mark.parametrize(("transport", "mode", "sessions"), WAYS)
async def test_exactly_the_allowed_tools_are_listed_and_callable(
    open_hub: OpenHub, transport: str, mode: Any, sessions: str
) -> None:
    seen = {}
    async with open_hub(live=LIVE, transports=build_transports(sessions)) as hub:
        for client in MAY:
            seen[client] = await try_all(hub, client, transport, mode)

    for client, allowed in MAY.items():
        listed, callable_, refusals = seen[client]
        assert listed == allowed
        assert callable_ == allowed
        assert len(refusals) <= 1, refusals


async def try_all(
    hub: LoopHub, client: str, transport: str, mode: Any
) -> tuple[set[str], set[str], set[str]]:
    """Return what is listed, what can be called, and how all else is refused."""
    async with hub.client(transport, TOKENS[client], mode=mode) as connected:
        listed = {each.name for each in await connected.list_tools()}
        callable_, refusals = set(), set()
        for name in [*MAY["acme"], "db_nothing"]:
            try:
                answer = await connected.call_tool_mcp(name, ARGUMENTS.get(name, {}))
            except MCPError as error:
                refusals.add(str(error).replace(name, "NAME"))
                continue
            if answer.is_error:
                refusals.add(answer.content[0].text.replace(name, "NAME"))
            else:
                callable_.add(name)
    return listed, callable_, refusals


class Listener(MessageHandler):
    """Hears that the list of tools has changed."""

    def __init__(self) -> None:
        self.heard = asyncio.Event()

    async def on_tool_list_changed(self, message: Any) -> None:  # noqa: ARG002
        self.heard.set()


@pytest.mark.parametrize("transport", ["http", "sse", "websocket"])
async def test_an_open_session_hears_that_its_tools_changed_and_no_other(
    build_files: Any, transport: str
) -> None:
    files = build_files(live=LIVE, transports=build_transports("Stateful"))
    listeners = {name: Listener() for name in TOKENS}
    rules = {"rules": [*RULES["rules"], {"clients": ["globex"], "tools": ["db_query"]}]}
    async with hub_in_loop(files) as hub, AsyncExitStack() as stack:
        await wait_until_checked(hub)
        clients = {
            name: await stack.enter_async_context(
                hub.client(
                    transport,
                    token,
                    mode="legacy",
                    message_handler=listeners[name],
                )
            )
            for name, token in TOKENS.items()
        }
        for client in clients.values():
            await client.list_tools()
        files.write_live(yaml.safe_dump({"tools": [tool()], "access": rules}))
        await listeners["globex"].heard.wait()
        names = {each.name for each in await clients["globex"].list_tools()}
        await asyncio.gather(*(client.ping() for client in clients.values()))

    assert names == MAY["globex"] | {"db_query"}
    assert not listeners["acme"].heard.is_set()
    assert not listeners["eve"].heard.is_set()


async def test_a_forbidden_tool_is_answered_as_one_that_does_not_exist(
    open_hub: OpenHub,
) -> None:
    async with open_hub(live=LIVE) as hub:
        for revision in ("2025-06-18", MODERN):
            forbidden = await post(hub, "globex", "db_query", revision)
            unknown = await post(hub, "globex", "db_nothing", revision)
            same = forbidden[1].replace("db_query", "db_nothing")

            assert forbidden[0] == unknown[0]
            assert same == unknown[1]
            assert forbidden[2] == unknown[2]


async def post(
    hub: LoopHub, client: str, name: str, revision: str
) -> tuple[int, str, str]:
    """Call a tool; return status, body and content type."""
    params: dict[str, Any] = {"name": name, "arguments": {}}
    if revision == MODERN:
        params["_meta"] = {
            "io.modelcontextprotocol/protocolVersion": MODERN,
            "io.modelcontextprotocol/clientInfo": {"name": "t", "version": "1"},
            "io.modelcontextprotocol/clientCapabilities": {},
        }
    message = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params}
    headers = {
        "Authorization": f"Bearer {TOKENS[client]}",
        "Accept": "application/json, text/event-stream",
        "MCP-Protocol-Version": revision,
        "Mcp-Method": "tools/call",
        "Mcp-Name": name,
    }
    async with httpx.AsyncClient() as http:
        answer = await http.post(
            f"{hub.url}/mcp", content=json.dumps(message), headers=headers
        )
    return answer.status_code, answer.text, answer.headers.get("content-type", "")


async def test_a_refusal_says_which_rule_to_the_administrator_alone(
    open_hub: OpenHub,
) -> None:
    async with open_hub(live=LIVE) as hub:
        with capture_logs() as logs:
            answer = await call(hub, "db_query", "globex", sql="SELECT 1")
            await call(hub, "db_nothing", "globex")

    audited = [line for line in logs if line["event"] == "tool call"]
    assert [line["outcome"] for line in audited] == ["forbidden", "unknown_tool"]
    assert audited[0]["refusal"] == (
        "access.rules[0]: clients do not match; access.rules[1]: tools do not match; "
        "access.rules[2]: clients do not match"
    )
    assert "access" not in str(answer)


async def test_backends_without_a_tool_for_the_caller_are_not_shown(
    open_hub: OpenHub,
) -> None:
    async with open_hub(live=LIVE) as hub:
        shown = {
            client: (
                (await call(hub, "list_services", client)).structured_content,
                (await call(hub, "health_check", client)).structured_content,
            )
            for client in MAY
        }

    assert shown["eve"][0]["services"] == {}
    assert shown["eve"][1]["backends"] == {}
    assert shown["globex"][0]["services"]["db"]["tools"] == ["made"]
    assert set(shown["acme"][0]["services"]["db"]["tools"]) == MAY["acme"] - ALWAYS


@pytest.mark.parametrize("transport", ["http", "sse"])
async def test_a_change_counts_in_open_sessions(
    build_files: Any, transport: str
) -> None:
    files = build_files(
        live=LIVE, transports={"streamableHTTP": {"sessions": "Stateful"}}
    )
    async with (
        hub_in_loop(files) as hub,
        hub.client(transport, TOKENS["globex"]) as client,
    ):
        before = {each.name for each in await client.list_tools()}
        files.write_live(yaml.safe_dump({"tools": [tool()], "access": {"rules": []}}))
        hub.hub.live.reload()
        after = {each.name for each in await client.list_tools()}
        refused = await client.call_tool_mcp("made", {})

    assert before == MAY["globex"]
    assert after == ALWAYS
    assert refused.is_error


async def test_a_client_has_one_rate_across_its_sessions(build_files: Any) -> None:
    files = build_files(
        limits={"perClient": {"requestsPerSecond": 1, "burst": 12}},
        transports={"streamableHTTP": {"sessions": "Stateful"}},
    )
    async with (
        hub_in_loop(files, clock=lambda: 0.0) as hub,
        hub.client(token=TOKENS["acme"]) as first,
        hub.client(token=TOKENS["acme"]) as second,
        hub.client(token=TOKENS["globex"]) as another,
    ):
        kinds = [
            (await client.call_tool_mcp("health_check", {})).meta or {}
            for client in [first, second] * 6
        ]
        fine = await another.call_tool_mcp("health_check", {})

    errors = [each["mcphub/error"] for each in kinds if "mcphub/error" in each]
    limited = [error["kind"] for error in errors]
    assert 1 <= len(limited) < 12
    assert set(limited) == {"limit_exceeded"}
    assert not fine.is_error
