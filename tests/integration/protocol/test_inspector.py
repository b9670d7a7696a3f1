"""The official inspector, as people use it from a shell, over both transports."""

import json
from typing import Any

import pytest

from tests.support.node.clients import NodeClients
from tests.support.replicas.hub import ReplicatedHub

from .conftest import TOKEN, RunHub, RunProgram

TRANSPORTS = [
    pytest.param("http", "mcp", "legacy", id="streamable HTTP, older protocol"),
    pytest.param("http", "mcp", "modern", id="streamable HTTP, newest protocol"),
    pytest.param("sse", "sse", "legacy", id="SSE"),
]

AUTH_REQUIRED = 3
TOOL_SCHEMAS_NOT_PORTABLE = 6


def inspect(
    clients: NodeClients, hub: ReplicatedHub, transport: str, path: str, *words: str
) -> list[str]:
    """Return the command line of one inspection."""
    return [
        *clients.inspector,
        f"{hub.url}/{path}",
        *("--transport", transport, "--format", "json", "--stored-auth-only"),
        *words,
    ]


def with_token(token: str) -> tuple[str, str]:
    return ("--header", f"Authorization: Bearer {token}")


@pytest.mark.parametrize(("transport", "path", "era"), TRANSPORTS)
async def test_the_inspector_lists_the_tools_and_finds_their_schemas_portable(
    transport: str,
    path: str,
    era: str,
    run_hub: RunHub,
    node_clients: NodeClients,
    run_program: RunProgram,
) -> None:
    async with run_hub(mounted="") as hub:
        done = await run_program(
            inspect(
                *(node_clients, hub, transport, path),
                *("--method", "tools/list", "--strict", "--protocol-era", era),
                *with_token(TOKEN),
            )
        )

    assert done.code == 0, str(done)
    names = {tool["name"] for tool in json.loads(done.output)["result"]["tools"]}
    assert names == {
        "health_check",
        "list_services",
        "postgres_query",
        "postgres_list_tables",
        "postgres_describe_table",
        "postgres_search_objects",
    }


@pytest.mark.parametrize(("transport", "path", "era"), TRANSPORTS)
async def test_the_inspector_calls_a_tool(
    transport: str,
    path: str,
    era: str,
    run_hub: RunHub,
    node_clients: NodeClients,
    run_program: RunProgram,
) -> None:
    arguments = {"sql": "SELECT name FROM customers WHERE id = 7"}
    async with run_hub(mounted="") as hub:
        done = await run_program(
            inspect(
                *(node_clients, hub, transport, path),
                *("--method", "tools/call", "--tool-name", "postgres_query"),
                *("--tool-args-json", json.dumps(arguments), "--protocol-era", era),
                *with_token(TOKEN),
            )
        )

    assert done.code == 0, str(done)
    result: dict[str, Any] = json.loads(done.output)["result"]
    assert result["structuredContent"]["rows"] == [["Customer 7"]]


async def test_the_inspector_is_turned_away_with_a_wrong_token(
    run_hub: RunHub, node_clients: NodeClients, run_program: RunProgram
) -> None:
    async with run_hub(mounted="") as hub:
        done = await run_program(
            inspect(
                *(node_clients, hub, "http", "mcp"),
                *("--method", "tools/list"),
                *with_token("not-a-token"),
            )
        )

    assert done.code == AUTH_REQUIRED, str(done)
