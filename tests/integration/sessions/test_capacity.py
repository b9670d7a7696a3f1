"""Replicas that hold as many streams as they have room for."""

from contextlib import AsyncExitStack

import httpx2
import pytest
from mcp.shared.exceptions import MCPError

from tests.support.replicas.hub import running_hub

HEADERS = {
    "Authorization": "Bearer token-ann-4711-x",
    "Accept": "application/json, text/event-stream",
}
MOST = 5
COMFORTABLE = 4


@pytest.fixture
async def small_hub(fork_server, tmp_path):
    """Two replicas with room for five streams each."""
    async with running_hub(fork_server, tmp_path, 2, max_streams=MOST) as hub:
        yield hub


@pytest.fixture
async def http():
    async with httpx2.AsyncClient(headers=HEADERS, timeout=100) as http:
        yield http


async def fill(stack, http, url, count):
    """Open streams, and hold them."""
    for _ in range(count):
        stream = http.stream("GET", f"{url}/sse", follow_redirects=True)
        assert (await stack.enter_async_context(stream)).status_code == 200


async def test_a_new_session_is_redirected_to_a_replica_that_has_room(small_hub, http):
    hub = small_hub
    full, other = hub.replicas
    async with AsyncExitStack() as stack:
        await fill(stack, http, hub.at(full), COMFORTABLE)
        hub.proxy.order[:] = [full.address, other.address]
        async with hub.client("sse") as client:
            answer = (await client.call_tool("where")).data

    assert answer == other.uid


async def test_one_that_all_replicas_sent_on_is_served_while_there_is_room(
    small_hub, http
):
    url = small_hub.at(small_hub.replicas[0])
    async with AsyncExitStack() as stack:
        await fill(stack, http, url, COMFORTABLE)
        stream = http.stream("GET", f"{url}/sse", follow_redirects=True)
        served = await stack.enter_async_context(stream)

    assert served.status_code == 200
    assert len(served.history) == 4


async def test_without_room_a_stream_is_refused_in_words(small_hub, http):
    url = small_hub.at(small_hub.replicas[0])
    async with AsyncExitStack() as stack:
        await fill(stack, http, url, MOST)
        refused = await http.get(f"{url}/sse", follow_redirects=True)
        metrics = await http.get(
            f"{small_hub.management_at(small_hub.replicas[0])}/metrics"
        )

    assert refused.status_code == 503
    assert refused.headers["retry-after"] == "30"
    assert "no room for another session" in refused.json()["error"]["message"]
    assert 'mcphub_sessions_rejected_total{outcome="refused"} 1.0' in metrics.text


async def test_without_room_a_client_of_mcp_is_told_so_within_the_protocol(
    small_hub, http
):
    hub = small_hub
    async with AsyncExitStack() as stack:
        for replica in hub.replicas:
            await fill(stack, http, hub.at(replica), MOST)

        with pytest.raises(MCPError, match="no room for another session"):
            await stack.enter_async_context(hub.client("http"))


async def test_sessions_that_are_open_go_on_without_room_for_more(small_hub, http):
    hub = small_hub
    async with AsyncExitStack() as stack, hub.client("sse") as client:
        for replica in hub.replicas:
            await fill(stack, http, hub.at(replica), COMFORTABLE)
        answers = {(await client.call_tool("where")).data for _ in range(4)}

    assert len(answers) == 1
