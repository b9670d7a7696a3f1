"""One line for each call: who did what, and how it went; never the statement."""

import json
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.support.hub import HubProcess, hub_process

from .conftest import MakeHub


def read_calls(log: Path) -> list[dict[str, Any]]:
    lines = [json.loads(line) for line in log.read_text().splitlines() if line]
    return [line for line in lines if line["event"] == "tool call"]


async def call(server: HubProcess, sql: str, request_id: str) -> None:
    async with httpx.AsyncClient(timeout=100) as http:
        answer = await http.post(
            f"{server.url}/mcp",
            json={
                "jsonrpc": "2.0",
                "id": 1,
                "method": "tools/call",
                "params": {"name": "postgres_query", "arguments": {"sql": sql}},
            },
            headers={
                "Authorization": "Bearer secret-of-alice-1",
                "Accept": "application/json, text/event-stream",
                "MCP-Protocol-Version": "2025-11-25",
                "X-Request-ID": request_id,
            },
        )
    assert answer.headers["x-request-id"] == request_id


async def test_each_call_leaves_one_line(hub_files: MakeHub) -> None:
    with hub_process(hub_files()) as server:
        await call(server, "SELECT 4711 FROM customers LIMIT 3", "r-1")
        await call(server, "SELECT 4712 FROM customers LIMIT 2", "r-2")
        await call(server, "DROP TABLE customers", "r-3")
        calls = {line["request_id"]: line for line in read_calls(server.log)}
        text = server.log.read_text()

    first, second, refused = (calls[name] for name in ("r-1", "r-2", "r-3"))
    assert (first["client"], first["tool"]) == ("alice", "postgres_query")
    assert (first["rows"], first["outcome"]) == (3, "ok")
    assert first["bytes"] > 0
    assert first["duration_ms"] > 0
    assert first["statement"] == second["statement"] != ""
    assert (refused["rows"], refused["outcome"]) == (0, "rejected")
    assert refused["statement"]
    assert "4711" not in text


@pytest.mark.parametrize("transport", ["http", "sse"])
async def test_the_caller_is_known_on_every_transport(
    hub_files: MakeHub, transport: str
) -> None:
    tokens = {"alice": "secret-of-alice-1", "bob": "secret-of-bob-22"}
    with hub_process(hub_files(tokens=tokens)) as server:
        for token in tokens.values():
            async with server.client(transport, token) as client:
                await client.call_tool("health_check")
        calls = read_calls(server.log)

    assert [line["client"] for line in calls] == ["alice", "bob"]
    assert all(line["request_id"] for line in calls)
