"""A client that goes away takes its query with it, unless it has a session."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest

from tests.support.gate import WAIT, count_waiting, wait_for_waiting
from tests.support.hub import TOKEN, LoopHub, hub_in_loop
from tests.support.postgres import PostgresServer
from tests.support.waiting import wait_until

from .conftest import MakeHub

PATIENT = {"statementTimeoutSeconds": 38}
"""As long as a hub allows: a statement that ends within the tests' time was ended."""

SOON_SECONDS = 30.0

LEGACY = {"MCP-Protocol-Version": "2025-11-25"}
MODERN = {
    "MCP-Protocol-Version": "2026-07-28",
    "Mcp-Method": "tools/call",
    "Mcp-Name": "postgres_query",
}


def call(meta: dict[str, Any]) -> dict[str, Any]:
    return {
        "jsonrpc": "2.0",
        "id": 1,
        "method": "tools/call",
        "params": {"name": "postgres_query", "arguments": {"sql": WAIT}, **meta},
    }


MODERN_META = {
    "_meta": {
        "io.modelcontextprotocol/protocolVersion": "2026-07-28",
        "io.modelcontextprotocol/clientCapabilities": {},
    }
}


@pytest.mark.parametrize(
    ("headers", "meta"),
    [
        pytest.param(LEGACY, {}, id="2025-11-25"),
        pytest.param(MODERN, MODERN_META, id="2026-07-28"),
    ],
)
async def test_over_http(
    hub_files: MakeHub,
    gated: PostgresServer,
    headers: dict[str, str],
    meta: dict[str, Any],
) -> None:
    all_headers = {
        "Authorization": f"Bearer {TOKEN}",
        "Accept": "application/json, text/event-stream",
        **headers,
    }
    async with (
        hub_in_loop(hub_files(limits=PATIENT)) as hub,
        httpx.AsyncClient(timeout=100) as http,
    ):
        request = asyncio.create_task(
            http.post(
                f"{hub.url}/mcp", json=call(meta), headers=all_headers, timeout=100
            )
        )
        await wait_for_waiting(gated, 1)

        request.cancel()

        await wait_for_waiting(gated, 0, SOON_SECONDS)
        await wait_until(lambda: hub.hub.state.calls == 0)


@pytest.mark.parametrize("revision", ["2025-03-26", "2025-06-18", "2025-11-25"])
async def test_in_a_session_only_the_client_says_that_a_call_is_over(
    hub_files: MakeHub, gated: PostgresServer, revision: str
) -> None:
    transports = {"streamableHTTP": {"sessions": "Stateful"}}
    files = hub_files(limits=PATIENT, transports=transports)
    async with hub_in_loop(files) as hub, open_session(hub, revision) as http:
        request = asyncio.create_task(http.post("", json=call({})))
        await wait_for_waiting(gated, 1)
        before = hub.hub.state.count_connections()
        request.cancel()
        await wait_until(lambda: hub.hub.state.count_connections() < before)

        pong = await http.post("", json=build_message("ping", id=2))
        running = await asyncio.to_thread(count_waiting, gated)
        told = await http.post(
            "", json=build_message("notifications/cancelled", {"requestId": 1})
        )
        await wait_for_waiting(gated, 0, SOON_SECONDS)

    assert pong.is_success
    assert told.is_success
    assert running == 1


@asynccontextmanager
async def open_session(hub: LoopHub, revision: str) -> AsyncIterator[httpx.AsyncClient]:
    """Open a session of `/mcp`, whose client posts to the empty path."""
    headers = {
        "Authorization": f"Bearer {TOKEN}",
        "Accept": "application/json, text/event-stream",
    }
    async with httpx.AsyncClient(
        base_url=f"{hub.url}/mcp", headers=headers, timeout=100
    ) as http:
        hello = {
            "protocolVersion": revision,
            "capabilities": {},
            "clientInfo": {"name": "test", "version": "1"},
        }
        opened = await http.post("", json=build_message("initialize", hello, id=0))
        http.headers["Mcp-Session-Id"] = opened.headers["mcp-session-id"]
        http.headers["MCP-Protocol-Version"] = revision
        await http.post("", json=build_message("notifications/initialized"))
        yield http


def build_message(
    method: str, params: dict[str, Any] | None = None, **members: Any
) -> dict[str, Any]:
    return {"jsonrpc": "2.0", "method": method, "params": params or {}, **members}


async def test_over_sse(hub_files: MakeHub, gated: PostgresServer) -> None:
    async with hub_in_loop(hub_files(limits=PATIENT)) as hub:
        client = hub.client("sse")
        await client.__aenter__()
        running = asyncio.create_task(
            client.call_tool_mcp("postgres_query", {"sql": WAIT})
        )
        await wait_for_waiting(gated, 1)

        await client.close()

        await wait_for_waiting(gated, 0, SOON_SECONDS)
        await wait_until(lambda: hub.hub.state.calls == 0)
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


async def test_a_cancelled_request_cancels_its_query(
    hub_files: MakeHub, gated: PostgresServer
) -> None:
    async with (
        hub_in_loop(hub_files(limits=PATIENT)) as hub,
        hub.client("sse") as client,
    ):
        running = asyncio.create_task(
            client.call_tool_mcp("postgres_query", {"sql": WAIT})
        )
        await wait_for_waiting(gated, 1)

        running.cancel()

        await wait_for_waiting(gated, 0, SOON_SECONDS)
        answer = await client.call_tool("postgres_query", {"sql": "SELECT 1"})

    assert answer.structured_content["rows"] == [[1]]
