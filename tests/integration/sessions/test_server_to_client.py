"""What a server says and asks reaches its client, wherever that is connected."""

import asyncio
import json

import httpx2
import pytest
from fastmcp.client.messages import MessageHandler

HEADERS = {
    "Authorization": "Bearer token-ann-4711-x",
    "Accept": "application/json, text/event-stream",
    "MCP-Protocol-Version": "2025-11-25",
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
INITIALIZED = {"jsonrpc": "2.0", "method": "notifications/initialized"}
CHANGE = {
    "jsonrpc": "2.0",
    "id": 2,
    "method": "tools/call",
    "params": {"name": "change", "arguments": {}},
}


class Listener(MessageHandler):
    """A client's side of all that a server may say or ask."""

    def __init__(self):
        self.heard = asyncio.Queue()
        self.asked = asyncio.Event()
        self.may_answer = asyncio.Event()
        self.may_answer.set()

    @property
    def options(self):
        return {
            "message_handler": self,
            "log_handler": self.note_log,
            "progress_handler": self.note_progress,
            "elicitation_handler": self.answer,
            "sampling_handler": self.write,
        }

    async def on_tool_list_changed(self, message):
        self.heard.put_nowait(message.method)

    async def note_log(self, message):
        self.heard.put_nowait(message.data["msg"])

    async def note_progress(self, progress, _total, _message):
        self.heard.put_nowait(progress)

    async def answer(self, *_question):
        self.asked.set()
        await self.may_answer.wait()
        return {"name": "Ann"}

    async def write(self, *_question):
        return "Hello!"

    async def hear(self):
        return await self.heard.get()


async def converse(client, listener):
    """Have the server use each of its ways to talk; returns what came of each."""
    told = await client.call_tool("tell", {"words": "well"})
    log = await listener.hear()
    await client.call_tool("stepwise", {"steps": 1})
    progress = await listener.hear()
    asked = await client.call_tool("ask")
    sampled = await client.call_tool("sample")
    await client.call_tool("change")
    change = await listener.hear()
    return told.data, [log, progress, asked.data, sampled.data, change]


def all_ways(uid):
    return [
        "well",
        0,
        f"{uid} Ann",
        f"{uid} Hello!",
        "notifications/tools/list_changed",
    ]


@pytest.mark.parametrize("transport", ["sse", "http"])
async def test_a_client_at_changing_replicas_hears_all(hub, transport):
    listener = Listener()
    async with hub.client(transport, **listener.options) as client:
        uid, came = await converse(client, listener)

    assert came == all_ways(uid)


@pytest.mark.parametrize("through", [0, 1], ids=["at the owner", "at another replica"])
@pytest.mark.parametrize("transport", ["sse", "http"])
async def test_a_client_that_posts_elsewhere_hears_all(hub, transport, through):
    owner, listener = hub.replicas[0], Listener()
    hub.proxy.order[:] = [owner.address]
    async with hub.client(transport, **listener.options) as client:
        await client.call_tool("where")
        hub.proxy.order[:] = [hub.replicas[through].address]
        if transport == "http":
            await hub.proxy.cut()  # the client reopens its stream there
        uid, came = await converse(client, listener)

    assert uid == owner.uid
    assert came == all_ways(uid)


async def test_a_client_hears_all_after_its_session_was_adopted(hub):
    owner, survivor = hub.replicas
    listener = Listener()
    hub.proxy.order[:] = [owner.address]
    async with hub.client("http", **listener.options) as client:
        await client.call_tool("where")
        owner.kill()
        await owner.wait()
        await hub.proxy.cut()
        hub.publish([survivor])
        uid, came = await converse(client, listener)

    assert uid == survivor.uid
    assert came == all_ways(uid)


@pytest.mark.parametrize("through", [0, 1], ids=["at the owner", "at another replica"])
@pytest.mark.parametrize("transport", ["sse", "http"])
async def test_a_question_of_a_draining_replica_is_answered(hub, transport, through):
    owner, other = hub.replicas
    listener = Listener()
    listener.may_answer.clear()
    hub.proxy.order[:] = [owner.address]
    async with hub.client(transport, **listener.options) as client:
        await client.call_tool("where")
        hub.proxy.order[:] = [hub.replicas[through].address]
        call = asyncio.create_task(client.call_tool("ask", {"gate": hub.gate}))
        await hub.wait_for_calls(owner, 1)

        owner.terminate()
        await hub.wait_until_draining(owner)
        hub.publish([other])
        hub.members.write_text(f"{other.address}\n{owner.address}")
        hub.open_gate()
        await listener.asked.wait()
        listener.may_answer.set()
        answer = (await call).data

    assert answer == f"{owner.uid} Ann"
    assert await owner.wait() == 0


async def test_a_question_of_a_killed_replica_is_asked_again(hub):
    owner, survivor = hub.replicas
    listener = Listener()
    listener.may_answer.clear()
    hub.proxy.order[:] = [owner.address]
    async with hub.client("http", **listener.options) as client:
        call = asyncio.create_task(client.call_tool("ask"))
        await listener.asked.wait()

        owner.kill()
        await owner.wait()
        hub.publish([survivor])
        listener.may_answer.set()
        answer = (await call).data

    assert answer == f"{survivor.uid} Ann"


async def test_what_is_said_before_a_client_listens_waits_for_it(hub):
    base = f"{hub.at(hub.replicas[0])}/mcp"
    async with httpx2.AsyncClient(headers=HEADERS, timeout=100) as http:
        opened = await http.post(base, json=OPENING)
        session = {"mcp-session-id": opened.headers["mcp-session-id"]}
        await http.post(base, json=INITIALIZED, headers=session)
        await http.post(base, json=CHANGE, headers=session)
        async with http.stream("GET", base, headers=session) as stream:
            heard = await find_message(stream)

    assert heard["method"] == "notifications/tools/list_changed"


async def find_message(stream):
    async for line in stream.aiter_lines():
        if line.startswith("data: {"):
            return json.loads(line.removeprefix("data: "))
    raise AssertionError("the stream ended")
