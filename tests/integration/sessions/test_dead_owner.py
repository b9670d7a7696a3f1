"""What is left of sessions when the replica that owns them is killed."""

import json
import re

import httpx2

HEADERS = {
    "Authorization": "Bearer token-ann-4711-x",
    "Accept": "application/json, text/event-stream",
}
WHERE = {
    "jsonrpc": "2.0",
    "id": 7,
    "method": "tools/call",
    "params": {"name": "where", "arguments": {}},
}


async def test_a_stateful_session_goes_on_at_a_survivor(hub):
    owner, survivor = hub.replicas
    hub.proxy.order[:] = [owner.address]
    async with hub.client("http") as client:
        assert (await client.call_tool("where")).data == owner.uid

        owner.kill()
        await owner.wait()
        await hub.proxy.cut()
        hub.publish([survivor])
        answers = [(await client.call_tool("where")).data for _ in range(3)]

    assert answers == [survivor.uid] * 3


async def test_a_session_is_adopted_while_its_dead_owner_is_still_published(hub):
    owner, survivor = hub.replicas
    hub.proxy.order[:] = [owner.address]
    async with hub.client("http") as client:
        await client.call_tool("where")

        owner.kill()
        await owner.wait()
        await hub.proxy.cut()
        hub.proxy.order[:] = [survivor.address]
        answer = (await client.call_tool("where")).data

    assert answer == survivor.uid


async def test_a_reopened_stream_needs_no_second_handshake(hub):
    base = hub.at(hub.replicas[0])
    async with (
        httpx2.AsyncClient(headers=HEADERS, timeout=100) as http,
        http.stream("GET", f"{base}/sse") as stream,
    ):
        lines = stream.aiter_lines()
        endpoint = await find_line(lines, "data: ")
        posted = await http.post(base + endpoint, json=WHERE)
        answer = json.loads(await find_line(lines, "data: "))

    assert posted.status_code == 202
    assert answer["result"]["content"][0]["text"] == "uid-0"


async def test_a_stream_says_how_soon_to_come_back(hub):
    base = hub.at(hub.replicas[0])
    async with (
        httpx2.AsyncClient(headers=HEADERS, timeout=100) as http,
        http.stream("GET", f"{base}/sse") as stream,
    ):
        first = await anext(stream.aiter_raw())

    assert re.fullmatch(
        rb"retry: 50\r\nevent: endpoint\r\ndata: /messages/\S+\r\n\r\n", first
    )


async def find_line(lines, start):
    async for line in lines:
        if line.startswith(start):
            return line.removeprefix(start)
    raise AssertionError(start)
