"""The TypeScript SDK over a WebSocket, as a page opens one."""

import json

from tests.support.node.clients import NodeClients
from tests.support.node.runtime import find_node
from tools.project import ROOT

from .conftest import TOKEN, RunHub, RunProgram

SCRIPT = ROOT / "tests" / "support" / "node" / "websocket.mjs"


async def test_a_page_lists_and_calls_tools_over_a_websocket(
    run_hub: RunHub, run_program: RunProgram, node_clients: NodeClients
) -> None:
    async with run_hub() as hub:
        url = f"{hub.url.replace('http', 'ws', 1)}/mcp"
        words = [str(SCRIPT), str(node_clients.modules), url, TOKEN, "health_check"]
        ended = await run_program([str(find_node().node), *words])

    assert ended.code == 0, str(ended)
    seen = json.loads(ended.output)
    assert seen["protocol"] == "mcp"
    assert "postgres_query" in seen["tools"]
    assert seen["failed"] is False
