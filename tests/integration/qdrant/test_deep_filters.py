"""Filters so deep that clients refuse to send them, sent as bytes."""

import httpx
import pytest

from tests.support.hub import TOKEN, hub_in_loop

from .conftest import MakeHub

CALL = (
    '{"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {'
    '"name": "qdrant_search", "arguments": {'
    '"collection": "docs", "point_id": 1, "filter": %s}}}'
)
HEADERS = {
    "Authorization": f"Bearer {TOKEN}",
    "Accept": "application/json, text/event-stream",
    "Content-Type": "application/json",
    "MCP-Protocol-Version": "2025-06-18",
}


def nest(depth: int) -> str:
    leaf = '{"key": "n", "match": {"value": 1}}'
    return '{"must": [' * depth + leaf + "]}" * depth


@pytest.mark.parametrize("depth", [30, 200, 2_000, 100_000])
async def test_a_deep_filter_is_refused_at_once(
    vector_files: MakeHub, depth: int
) -> None:
    async with (
        hub_in_loop(vector_files()) as hub,
        httpx.AsyncClient(headers=HEADERS, timeout=100) as http,
    ):
        refused = await http.post(f"{hub.url}/mcp", content=CALL % nest(depth))
        accepted = await http.post(f"{hub.url}/mcp", content=CALL % nest(2))

    assert refused.status_code != 200 or '"isError":true' in refused.text
    assert '"isError":false' in accepted.text
