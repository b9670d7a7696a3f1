"""Calls that outlive their connection, and the replica that was running them."""

import asyncio

import httpx2
import pytest

HEADERS = {
    "Authorization": "Bearer token-ann",
    "Accept": "application/json, text/event-stream",
    "MCP-Protocol-Version": "2025-11-25",
}
SECONDS = 2


def build_call(tool, **arguments):
    params = {"name": tool, "arguments": arguments}
    return {"jsonrpc": "2.0", "id": 7, "method": "tools/call", "params": params}


async def wait_for_calls(hub, replica, number):
    async with httpx2.AsyncClient() as http, asyncio.timeout(20):
        while True:
            status = await http.get(f"{hub.management_at(replica)}/status")
            if status.json()["inFlight"] == number:
                return
            await asyncio.sleep(0.02)


async def test_an_answer_that_is_ready_at_once_is_plain_json(stateless_hub):
    base = stateless_hub.at(stateless_hub.replicas[0])
    async with httpx2.AsyncClient(headers=HEADERS) as http:
        for _ in range(5):  # the first call of a process loads modules
            answer = await http.post(f"{base}/mcp", json=build_call("where"))

    assert answer.headers["content-type"] == "application/json"
    assert answer.json()["id"] == 7


async def test_an_answer_that_takes_longer_is_a_stream_that_can_be_resumed(
    stateless_hub,
):
    base = stateless_hub.at(stateless_hub.replicas[0])
    async with httpx2.AsyncClient(headers=HEADERS) as http:
        answer = await http.post(f"{base}/mcp", json=build_call("slow", seconds=0.3))

    events = answer.text.split("\r\n\r\n")
    assert answer.headers["content-type"] == "text/event-stream"
    assert [line.partition(":")[0] for line in events[0].splitlines()] == [
        "id",
        "retry",
        "data",
    ]
    assert '"id":7,"result"' in events[1]


async def test_a_client_that_takes_no_streams_waits_for_json(stateless_hub):
    base = stateless_hub.at(stateless_hub.replicas[0])
    headers = HEADERS | {"Accept": "application/json"}
    async with httpx2.AsyncClient(headers=headers) as http:
        answer = await http.post(f"{base}/mcp", json=build_call("slow", seconds=0.3))

    assert answer.headers["content-type"] == "application/json"


@pytest.mark.parametrize("through", [0, 1], ids=["the same", "the other"])
async def test_a_reset_connection_is_resumed_at_this_replica(stateless_hub, through):
    hub = stateless_hub
    running = hub.replicas[0]
    hub.proxy.order[:] = [running.address]
    async with hub.client("http") as client:
        call = asyncio.create_task(client.call_tool("slow", {"seconds": SECONDS}))
        await wait_for_calls(hub, running, 1)

        await asyncio.sleep(0.3)  # the reply has become a stream
        hub.proxy.order[:] = [hub.replicas[through].address]
        await hub.proxy.cut()
        answer = (await call).data

    assert answer == running.uid


@pytest.mark.parametrize("transport", ["http", "modern"])
async def test_a_killed_replica_takes_no_call_along(stateless_hub, transport):
    hub = stateless_hub
    running, survivor = hub.replicas
    hub.proxy.order[:] = [running.address]
    async with hub.client(transport) as client:
        call = asyncio.create_task(client.call_tool("slow", {"seconds": SECONDS}))
        await wait_for_calls(hub, running, 1)

        await asyncio.sleep(0.3)  # the reply has become a stream
        hub.publish([survivor])
        running.kill()
        answer = (await call).data

    assert answer == survivor.uid


@pytest.mark.parametrize("through", [0, 1], ids=["its owner", "another replica"])
async def test_a_killed_owner_takes_no_call_of_its_sessions_along(hub, through):
    owner, survivor = hub.replicas
    hub.proxy.order[:] = [owner.address]
    async with hub.client("http") as client:
        await client.call_tool("where")
        hub.proxy.order[:] = [hub.replicas[through].address]
        await hub.proxy.cut()
        call = asyncio.create_task(client.call_tool("slow", {"seconds": SECONDS}))
        await wait_for_calls(hub, owner, 1)

        await asyncio.sleep(0.3)  # the reply has become a stream
        hub.publish([survivor])
        owner.kill()
        answer = (await call).data

    assert answer == survivor.uid


async def test_a_reply_of_another_client_cannot_be_resumed(stateless_hub):
    base = stateless_hub.at(stateless_hub.replicas[0])
    async with httpx2.AsyncClient(headers=HEADERS) as http:
        answer = await http.post(f"{base}/mcp", json=build_call("slow", seconds=0.3))
    event_id = answer.text.splitlines()[0].removeprefix("id: ")
    stranger = HEADERS | {"Authorization": "Bearer token-bob"}
    async with httpx2.AsyncClient(headers=stranger) as http:
        stolen = await http.get(f"{base}/mcp", headers={"last-event-id": event_id})

    assert stolen.status_code == 404
