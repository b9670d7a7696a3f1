"""One client's calls, however many and long, do not make another's wait behind them."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from fastmcp import Client
from fastmcp.client.transports import StreamableHttpTransport

from tests.support.gate import WAIT, opened, wait_for_waiting
from tests.support.hub import LoopHub, hub_in_loop
from tests.support.postgres import PostgresServer

from .conftest import MakeHub

TWO_CLIENTS = {"alice": "secret-of-alice-1", "bob": "secret-of-bob-22"}
QUICK = {"sql": "SELECT 1"}


@asynccontextmanager
async def calling(client: Client[Any], sql: str, count: int) -> AsyncIterator[None]:
    """Send calls that last as long as the block, at least."""
    async with client, asyncio.TaskGroup() as group:
        calls = [
            group.create_task(client.call_tool_mcp("postgres_query", {"sql": sql}))
            for _ in range(count)
        ]
        yield
        for call in calls:
            call.cancel()


@pytest.mark.parametrize("transport", ["http", "sse"])
@pytest.mark.parametrize(
    ("limits", "pool", "running"),
    [
        pytest.param({}, 3, 2, id="connections"),
        pytest.param({"maxConcurrentCalls": 4}, 10, 3, id="slots"),
    ],
)
async def test_long_statements_leave_room_for_another_client(
    hub_files: MakeHub,
    gated: PostgresServer,
    transport: str,
    limits: dict[str, int],
    pool: int,
    running: int,
) -> None:
    files = hub_files(
        limits={**limits, "statementTimeoutSeconds": 38},
        backend={"pool": {"maxSize": pool}},
        tokens=TWO_CLIENTS,
    )
    async with hub_in_loop(files) as hub, hub.client(token="secret-of-bob-22") as bob:
        async with calling(hub.client(transport), WAIT, 8):
            await wait_for_waiting(gated, running)

            answers = [await bob.call_tool_mcp("postgres_query", QUICK) for _ in "123"]

        async with opened(gated):
            await wait_for_waiting(gated, 0)
    assert not any(answer.is_error for answer in answers)


def call_from(hub: LoopHub, address: str) -> Client[Any]:
    """Make a client whose address a proxy reports."""
    headers = {"X-Forwarded-For": address}
    return Client(StreamableHttpTransport(f"{hub.url}/mcp", headers=headers))


async def test_without_auth_each_address_has_its_share(
    hub_files: MakeHub, gated: PostgresServer
) -> None:
    files = hub_files(
        auth={"type": "None"},
        limits={"statementTimeoutSeconds": 38},
        backend={"pool": {"maxSize": 3}},
        trustedProxies=["127.0.0.0/8"],
    )
    async with hub_in_loop(files) as hub, call_from(hub, "198.51.100.2") as other:
        async with calling(call_from(hub, "198.51.100.1"), WAIT, 8):
            await wait_for_waiting(gated, 2)

            answer = await other.call_tool_mcp("postgres_query", QUICK)

        async with opened(gated):
            await wait_for_waiting(gated, 0)
    assert not answer.is_error


async def test_who_uses_all_that_one_caller_may_is_told_so(
    hub_files: MakeHub, gated: PostgresServer
) -> None:
    files = hub_files(
        limits={"statementTimeoutSeconds": 38}, backend={"pool": {"maxSize": 3}}
    )
    async with hub_in_loop(files) as hub, hub.client() as client:
        async with calling(hub.client(), WAIT, 2):
            await wait_for_waiting(gated, 2)

            answer = await client.call_tool_mcp("postgres_query", QUICK)

        async with opened(gated):
            await wait_for_waiting(gated, 0)
    assert answer.meta["mcphub/error"]["kind"] == "limit_exceeded"
    assert "2 of the 3 connections" in answer.content[0].text
