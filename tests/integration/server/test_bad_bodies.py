"""Bodies that are no messages: refused, never a fault of the server."""

import httpx2
import pytest

from tests.support.hub import TOKEN, HubFiles, hub_in_loop

HEADERS = {
    "Authorization": f"Bearer {TOKEN}",
    "Accept": "application/json, text/event-stream",
    "Content-Type": "application/json",
}
DEEP = b'{"jsonrpc":"2.0","id":1,"method":"ping","params":{"a":%s%s}}' % (
    b"[" * 3000,
    b"]" * 3000,
)
LONG = b"x" * 5_000


@pytest.fixture(params=["Stateless", "Stateful"])
async def hub(request, tmp_path):
    transports = {"streamableHTTP": {"sessions": request.param}}
    files = HubFiles(tmp_path / "hub", {"transports": transports})
    async with hub_in_loop(files) as hub:
        yield hub


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(b'{"jsonrpc":"2.0","id":1,"method":"\xff"}', id="no UTF-8"),
        pytest.param(DEEP, id="too deep"),
        pytest.param(b'{"jsonrpc":"2.0","id":1', id="half a message"),
        pytest.param(
            b'{"jsonrpc":"2.0","id":1,"method":"%s"}' % LONG, id="a long name"
        ),
        pytest.param(
            b'{"jsonrpc":"2.0","id":"%s","method":"ping"}' % LONG, id="a long id"
        ),
    ],
)
@pytest.mark.parametrize("revision", ["", "2025-11-25", "2026-07-28"])
async def test_are_refused(hub, body, revision):
    headers = HEADERS | ({"MCP-Protocol-Version": revision} if revision else {})
    async with httpx2.AsyncClient(headers=headers, timeout=100) as http:
        refused = await http.post(f"{hub.url}/mcp", content=body)

    assert refused.status_code == 400
    assert len(refused.content) < len(LONG)
