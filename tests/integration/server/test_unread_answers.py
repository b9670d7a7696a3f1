"""A client that reads no answers fills its own share of a replica's memory, no more."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import httpx
import pytest

from mcphub_server import app
from mcphub_server.web import unread
from tests.integration.server.test_request_bodies import RawClient, connected, lines
from tests.support.hub import LoopHub, hub_in_loop
from tests.support.postgres import PostgresServer
from tests.support.waiting import wait_until

from .conftest import MakeHub

ALICE, BOB = "secret-of-alice-1", "secret-of-bob-22"
MEBIBYTE = 1024 * 1024
CALLS = 16
LARGE = "SELECT repeat('x', 30000) FROM generate_series(1, 30)"


def build_call(number: int) -> bytes:
    params = {"name": "postgres_query", "arguments": {"sql": LARGE}}
    call = {"jsonrpc": "2.0", "id": number, "method": "tools/call", "params": params}
    return json.dumps(call).encode()


async def ask_over_http(client: RawClient, _hub: LoopHub) -> None:
    """Send calls at once over one connection."""
    for number in range(CALLS):
        body = build_call(number)
        revision = "MCP-Protocol-Version: 2025-06-18"
        await client.begin(*lines(revision, f"Content-Length: {len(body)}"))
        await client.write(body)


async def ask_over_sse(client: RawClient, hub: LoopHub) -> None:
    """Open a stream and post calls for it."""
    await client.begin(*lines(), method="GET", path="/sse")
    await client.reader.readuntil(b"data: ")
    path = (await client.reader.readuntil(b"\r\n")).decode().strip()
    headers = {"Authorization": f"Bearer {ALICE}", "Content-Type": "application/json"}
    async with httpx.AsyncClient(base_url=hub.url, headers=headers) as http:
        for number in range(CALLS):
            posted = await http.post(path, content=build_call(number), timeout=100)
            assert posted.status_code == 202


@asynccontextmanager
async def running(
    hub_files: MakeHub, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[LoopHub]:
    """Run a hub that has room for 1 MiB of each caller's answers."""
    monkeypatch.setattr(unread, "LEAST_BYTES", 2 * MEBIBYTE)
    monkeypatch.setattr(app, "find_memory_limit", lambda: 0)
    async with hub_in_loop(hub_files(tokens={"alice": ALICE, "bob": BOB})) as hub:
        yield hub


@pytest.mark.parametrize("ask", [ask_over_http, ask_over_sse])
async def test_who_reads_nothing_gets_no_more(
    shop: PostgresServer,  # noqa: ARG001
    hub_files: MakeHub,
    monkeypatch: pytest.MonkeyPatch,
    ask: Callable[[RawClient, LoopHub], Awaitable[None]],
) -> None:
    async with running(hub_files, monkeypatch) as hub:
        answers = hub.hub.state.unread

        def is_full() -> bool:
            return answers.is_full(("alice", ""))

        async with (
            hub.client(token=ALICE) as alice,
            hub.client(token=BOB) as bob,
            connected(hub) as first,
            connected(hub) as second,
        ):
            asking = [asyncio.create_task(ask(each, hub)) for each in (first, second)]
            await asyncio.gather(*asking)
            await wait_until(is_full)
            refused = await alice.call_tool_mcp("postgres_query", {"sql": "SELECT 1"})
            served = await bob.call_tool_mcp("postgres_query", {"sql": "SELECT 1"})
            first.writer.transport.abort()
            second.writer.transport.abort()
            await wait_until(lambda: answers.count_held(("alice", "")) == 0)
            again = await alice.call_tool_mcp("postgres_query", {"sql": "SELECT 1"})

    assert refused.meta["mcphub/error"]["kind"] == "limit_exceeded"
    assert "read them first" in refused.content[0].text
    assert not served.is_error
    assert not again.is_error
