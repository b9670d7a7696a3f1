"""mcp-remote between a desktop client and the hub, as the customer's users run it."""

from collections.abc import Mapping
from pathlib import Path

import pytest
from fastmcp import Client
from fastmcp.client.transports import StdioTransport

from tests.support.node.clients import NodeClients

from .conftest import TOKEN, RunHub


@pytest.mark.parametrize(
    ("path", "mode"),
    [
        pytest.param("sse", "sse-only", id="over SSE"),
        pytest.param("mcp", "http-only", id="over streamable HTTP"),
    ],
)
async def test_a_client_reads_the_database_through_mcp_remote(
    path: str,
    mode: str,
    run_hub: RunHub,
    node_clients: NodeClients,
    node_environment: Mapping[str, str],
    tmp_path: Path,
) -> None:
    program, *words = node_clients.remote
    async with run_hub() as hub:
        transport = StdioTransport(
            program,
            [
                *words,
                *(f"{hub.url}/{path}", "--transport", mode, "--allow-http"),
                *("--header", "Authorization:${AUTH}"),
            ],
            env={**node_environment, "AUTH": f"Bearer {TOKEN}"},
            keep_alive=False,
            log_file=tmp_path / "mcp-remote.log",
        )

        async with Client(transport, timeout=100) as client:
            tools = await client.list_tools()
            result = await client.call_tool(
                "postgres_query", {"sql": "SELECT count(*) FROM customers"}
            )

    assert "postgres_query" in {tool.name for tool in tools}
    assert result.structured_content is not None
    assert result.structured_content["rows"] == [[50]]
    log = (tmp_path / "mcp-remote.log").read_text(encoding="utf-8")
    assert TOKEN not in log
