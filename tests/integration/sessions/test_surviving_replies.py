"""Calls that outlive their connection, and the replica that was running them."""

import asyncio
import json
import time

import httpx2
import pytest

from mcphub_server.sessions.resumability.event_id import (
    EventId,
    pack_request,
    sign_event_id,
)
from mcphub_server.sessions.tokens.principal import Principal, digest_principal
from mcphub_server.sessions.tokens.session_id import digest
from tests.support.waiting import wait_until

HEADERS = {
    "Authorization": "Bearer token-ann-4711-x",
    "Accept": "application/json, text/event-stream",
    "MCP-Protocol-Version": "2025-11-25",
}
STREAMS = b"retry: 1500"
"""Begins a reply that has become a stream."""


def build_call(tool, **arguments):
    params = {"name": tool, "arguments": arguments}
    return {"jsonrpc": "2.0", "id": 7, "method": "tools/call", "params": params}


async def test_an_answer_that_is_ready_at_once_is_plain_json(stateless_hub):
    base = stateless_hub.at(stateless_hub.replicas[0])
    async with httpx2.AsyncClient(headers=HEADERS, timeout=100) as http:
        answers = []

        async def is_plain():
            answers.append(await http.post(f"{base}/mcp", json=build_call("where")))
            return answers[-1].headers["content-type"] == "application/json"

        await wait_until(is_plain)  # the first call of a process loads modules

    assert answers[-1].json()["id"] == 7


async def test_an_answer_that_takes_longer_is_a_stream_that_can_be_resumed(
    stateless_hub,
):
    base = stateless_hub.at(stateless_hub.replicas[0])
    async with httpx2.AsyncClient(headers=HEADERS, timeout=100) as http:
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
    async with httpx2.AsyncClient(headers=headers, timeout=100) as http:
        answer = await http.post(f"{base}/mcp", json=build_call("slow", seconds=0.3))

    assert answer.headers["content-type"] == "application/json"


@pytest.mark.parametrize("transport", ["http", "modern"])
@pytest.mark.parametrize("through", [0, 1], ids=["the same", "the other"])
async def test_a_reset_connection_is_resumed_at_this_replica(
    stateless_hub, through, transport
):
    hub = stateless_hub
    running = hub.replicas[0]
    hub.proxy.order[:] = [running.address]
    async with hub.client(transport) as client:
        streams = hub.proxy.watch(STREAMS)
        call = asyncio.create_task(client.call_tool("gated", {"gate": hub.gate}))
        await streams.wait()

        hub.proxy.order[:] = [hub.replicas[through].address]
        await hub.proxy.cut()
        again = hub.proxy.watch(STREAMS)
        await again.wait()
        hub.open_gate()
        answer = (await call).data

    assert answer == running.uid


@pytest.mark.parametrize("transport", ["http", "modern"])
async def test_a_killed_replica_takes_no_call_along(stateless_hub, transport):
    hub = stateless_hub
    running, survivor = hub.replicas
    hub.proxy.order[:] = [running.address]
    async with hub.client(transport) as client:
        streams = hub.proxy.watch(STREAMS)
        call = asyncio.create_task(client.call_tool("gated", {"gate": hub.gate}))
        await streams.wait()

        hub.publish([survivor])
        running.kill()
        await running.wait()
        hub.open_gate()
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
        streams = hub.proxy.watch(STREAMS)
        call = asyncio.create_task(client.call_tool("gated", {"gate": hub.gate}))
        await streams.wait()

        hub.publish([survivor])
        owner.kill()
        await owner.wait()
        hub.open_gate()
        answer = (await call).data

    assert answer == survivor.uid


async def test_a_reply_of_another_client_cannot_be_resumed(stateless_hub):
    base = stateless_hub.at(stateless_hub.replicas[0])
    async with httpx2.AsyncClient(headers=HEADERS, timeout=100) as http:
        answer = await http.post(f"{base}/mcp", json=build_call("slow", seconds=0.3))
    event_id = answer.text.splitlines()[0].removeprefix("id: ")
    stranger = HEADERS | {"Authorization": "Bearer token-bob-4711-x"}
    async with httpx2.AsyncClient(headers=stranger, timeout=100) as http:
        stolen = await http.get(f"{base}/mcp", headers={"last-event-id": event_id})

    assert stolen.status_code == 404


def build_receipt(hub="ns/team-data", key=b"a key that all replicas share", **changes):
    """Make the event id of a reply that is made where no replica is."""
    fields = {
        "owner_address": "127.0.0.9",
        "owner_uid": digest("uid-9"),
        "key": b"k" * 16,
        "request": 7,
        "principal": digest_principal(Principal("ann")),
        "issued_at": int(time.time()),
        "headers": ((b"mcp-protocol-version", b"2025-11-25"),),
        "body": pack_request(json.dumps(build_call("where")).encode()),
        **changes,
    }
    return sign_event_id(EventId(**fields), hub, key)


async def resume(hub, event_id):
    """Ask for the rest of a reply; returns the answer, and what other pods got."""
    received = []

    async def serve(_reader, writer):
        received.append(True)
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.9", hub.port)
    async with server, httpx2.AsyncClient(headers=HEADERS, timeout=100) as http:
        headers = {"last-event-id": event_id}
        answer = await http.get(f"{hub.url}/mcp", headers=headers)
    return answer, received


@pytest.mark.parametrize(
    "build",
    [
        pytest.param(lambda: build_receipt(key=b"forged"), id="forged"),
        pytest.param(lambda: build_receipt(hub="ns/other"), id="of another hub"),
        pytest.param(lambda: build_receipt(issued_at=1), id="expired"),
        pytest.param(lambda: build_receipt()[:-8], id="truncated"),
        pytest.param(
            lambda: build_receipt(principal=digest("bob")), id="of another client"
        ),
        pytest.param(lambda: "3", id="a number, as other servers give"),
    ],
)
async def test_an_event_id_that_is_not_good_is_not_found(stateless_hub, build):
    answer, received = await resume(stateless_hub, build())

    assert answer.status_code == 404
    assert received == []


async def test_a_reply_of_a_lost_pod_is_made_again_without_asking_other_replicas(
    stateless_hub,
):
    answer, received = await resume(stateless_hub, build_receipt())

    assert '"id":7,"result"' in answer.text
    assert received == []
