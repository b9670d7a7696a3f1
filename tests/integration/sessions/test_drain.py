"""A replica that is told to stop while clients use it."""

import asyncio
import json
from contextlib import asynccontextmanager
from itertools import count

import httpx2
import pytest

HEADERS = {
    "Authorization": "Bearer token-ann-4711-x",
    "Accept": "application/json, text/event-stream",
}
OPENING = {
    "jsonrpc": "2.0",
    "id": 1,
    "method": "initialize",
    "params": {
        "protocolVersion": "2025-11-25",
        "capabilities": {},
        "clientInfo": {"name": "test", "version": "1"},
    },
}


def build_call(name, number=2, **arguments):
    params = {"name": name, "arguments": arguments}
    return {"jsonrpc": "2.0", "id": number, "method": "tools/call", "params": params}


@pytest.mark.parametrize("transport", ["sse", "http"])
@pytest.mark.parametrize("through", [0, 1], ids=["at the owner", "at another replica"])
async def test_a_call_in_flight_is_answered_and_the_process_ends(
    hub, transport, through
):
    owner, other = hub.replicas
    hub.proxy.order[:] = [owner.address]
    async with hub.client(transport) as client:
        assert (await client.call_tool("where")).data == owner.uid
        hub.proxy.order[:] = [hub.replicas[through].address]
        call = asyncio.create_task(client.call_tool("gated", {"gate": hub.gate}))
        await hub.wait_for_calls(owner, 1)

        owner.terminate()
        await hub.wait_until_draining(owner)
        hub.proxy.order[:] = [other.address]
        hub.open_gate()
        answer = (await call).data

    assert answer == owner.uid
    assert await owner.wait() == 0


async def test_a_stateful_session_goes_on_after_its_owner_stopped(hub):
    owner, other = hub.replicas
    hub.proxy.order[:] = [owner.address]
    async with hub.client("http") as client:
        await client.call_tool("where")
        owner.terminate()
        hub.proxy.order[:] = [other.address]
        answers = []
        while owner.is_running:
            answers.append((await client.call_tool("where")).data)
        answers.append((await client.call_tool("where")).data)

    assert set(answers) <= {owner.uid, other.uid}
    assert answers[-1] == other.uid


@asynccontextmanager
async def busy(hub, replica):
    """Keep a replica from ending: a long call runs on it."""
    async with httpx2.AsyncClient(headers=HEADERS, timeout=100) as http:
        url = f"{hub.at(replica)}/mcp"
        opened = await http.post(url, json=OPENING)
        headers = {"mcp-session-id": opened.headers["mcp-session-id"]}
        endless = build_call("gated", gate=hub.gate)
        call = asyncio.create_task(http.post(url, json=endless, headers=headers))
        await hub.wait_for_calls(replica, 1)
        yield
        call.cancel()
        await asyncio.gather(call, return_exceptions=True)


@pytest.mark.parametrize(
    ("method", "path"),
    [
        pytest.param("GET", "/sse", id="a new stream"),
        pytest.param("POST", "/mcp", id="a new session"),
    ],
)
async def test_new_sessions_are_redirected_to_the_same_path_on_a_new_connection(
    hub, method, path
):
    replica = hub.replicas[0]
    async with (
        busy(hub, replica),
        httpx2.AsyncClient(headers=HEADERS, timeout=100) as http,
    ):
        replica.terminate()
        await hub.wait_until_draining(replica)
        url = f"{hub.at(replica)}{path}"
        turned = await http.request(method, url, json=OPENING)

    assert turned.status_code == 307
    assert turned.headers["location"] == f"{path}?redirect_count=1"
    assert turned.headers["connection"] == "close"


async def test_after_four_redirects_a_new_session_is_served(hub):
    replica = hub.replicas[0]
    async with (
        busy(hub, replica),
        httpx2.AsyncClient(headers=HEADERS, timeout=100) as http,
    ):
        replica.terminate()
        await hub.wait_until_draining(replica)
        url = f"{hub.at(replica)}/mcp"
        served = await http.post(url, json=OPENING, follow_redirects=True)

    assert served.status_code == 200
    assert len(served.history) == 4


@pytest.mark.parametrize("transport", ["sse", "http"])
async def test_a_new_client_finds_the_other_replica_by_itself(hub, transport):
    stopping, other = hub.replicas
    async with busy(hub, stopping):
        stopping.terminate()
        await hub.wait_until_draining(stopping)
        hub.proxy.order[:] = [stopping.address, other.address]
        async with hub.client(transport) as client:
            answer = (await client.call_tool("where")).data

    assert answer == other.uid


async def test_every_answer_of_a_draining_replica_closes_its_connection(hub):
    replica = hub.replicas[0]
    async with (
        busy(hub, replica),
        httpx2.AsyncClient(headers=HEADERS, timeout=100) as http,
    ):
        before = await http.get(f"{hub.at(replica)}/health/live")
        replica.terminate()
        await hub.wait_until_draining(replica)
        after = await http.get(f"{hub.at(replica)}/health/live")

    assert "connection" not in before.headers
    assert after.headers["connection"] == "close"


async def test_an_idle_stream_ends_in_good_order(hub):
    replica = hub.replicas[0]
    async with (
        httpx2.AsyncClient(headers=HEADERS, timeout=100) as http,
        http.stream("GET", f"{hub.at(replica)}/sse") as stream,
    ):
        chunks = stream.aiter_raw()
        await anext(chunks)
        replica.terminate()
        rest = [chunk async for chunk in chunks]

    assert rest == []
    assert await replica.wait() == 0


async def test_a_cancelled_call_keeps_no_stream_open(hub):
    replica = hub.replicas[0]
    cancelled = {
        "jsonrpc": "2.0",
        "method": "notifications/cancelled",
        "params": {"requestId": 2},
    }
    async with (
        httpx2.AsyncClient(headers=HEADERS, timeout=100) as http,
        http.stream("GET", f"{hub.at(replica)}/sse") as stream,
    ):
        lines = stream.aiter_lines()
        messages = hub.at(replica) + await find_data(lines)
        await http.post(messages, json=build_call("gated", gate=hub.gate))
        await hub.wait_for_calls(replica, 1)
        await http.post(messages, json=cancelled)
        await hub.wait_for_calls(replica, 0)

        replica.terminate()

        assert await find_data(lines) is None
    assert await replica.wait() == 0


async def test_a_stream_whose_client_never_pauses_ends_with_an_answer_to_each_call(
    hub,
):
    replica = hub.replicas[0]
    taken, answers, ended = set(), {}, asyncio.Event()
    async with (
        httpx2.AsyncClient(headers=HEADERS, timeout=100) as http,
        http.stream("GET", f"{hub.at(replica)}/sse") as stream,
        asyncio.TaskGroup() as group,
    ):
        lines = stream.aiter_lines()
        messages = hub.at(replica) + await find_data(lines)
        group.create_task(call_without_pause(hub, http, messages, taken, ended))
        replica.terminate()
        while (data := await find_data(lines)) is not None:
            answer = json.loads(data)
            answers[answer["id"]] = answer
        ended.set()

    declined = {number for number, one in answers.items() if "error" in one}
    assert set(answers) == taken
    assert declined == set(range(min(declined), max(taken) + 1))
    assert all("did not begin" in answers[one]["error"]["message"] for one in declined)


async def call_without_pause(hub, http, messages, taken, ended):
    """Begin each call before the one before is answered, until the stream ends."""
    for number in count(1):
        message = build_call("gated", number, gate=f"{hub.gate}-{number}")
        if (await http.post(messages, json=message)).status_code == 202:
            taken.add(number)
        hub.open_gate(f"{hub.gate}-{number - 1}")
        await asyncio.sleep(0.02)
        if ended.is_set():
            return


async def find_data(lines):
    async for line in lines:
        if line.startswith("data: "):
            return line.removeprefix("data: ")
    return None
