"""Whether a call over /sse came too late for its stream, as the fault bench sees it.

A scripted server ends the stream at a chosen moment of a call, so every order of
events that a busy machine may bring about is forced here.
"""

import asyncio
import contextlib
import json

import pytest
import uvicorn
from starlette.applications import Starlette
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from benchmarks.faults.callers import make_python
from benchmarks.faults.ledger import RecoveryKind
from benchmarks.faults.remote import RemotePrograms, make_remote
from tests.support.node.clients import install_clients

SECONDS = 30


class ScriptedServer:
    """Serves MCP over /sse; a tool call is handled by `on_call`."""

    def __init__(self):
        self.streams = []
        self.on_call = None
        self.failed = asyncio.Event()
        routes = [
            Route("/sse", self.open_stream),
            Route("/messages/", self.post, methods=["POST"]),
        ]
        self.app = Starlette(routes=routes)

    async def open_stream(self, _request):
        events = asyncio.Queue()
        self.streams.append(events)
        address = f"/messages/?session={len(self.streams)}"
        events.put_nowait(f"retry: 50\r\nevent: endpoint\r\ndata: {address}\r\n\r\n")

        async def read():
            while (event := await events.get()) is not None:
                yield event

        return StreamingResponse(read(), media_type="text/event-stream")

    async def post(self, request):
        message = json.loads(await request.body())
        stream = self.streams[int(request.query_params["session"]) - 1]
        if message["method"] == "tools/call":
            return await self.on_call(stream)
        if "id" in message:
            answer = {"jsonrpc": "2.0", "id": message["id"], "result": RESULT}
            stream.put_nowait(f"event: message\r\ndata: {json.dumps(answer)}\r\n\r\n")
        return Response(status_code=202)

    async def end_and_refuse(self, stream):
        """End the stream, and refuse the POST once its client has failed the call."""
        stream.put_nowait(None)
        await self.failed.wait()
        return Response("Could not find session", 404)

    async def accept_and_end(self, stream):
        """Accept the POST, and end the stream without an answer."""
        asyncio.get_running_loop().call_later(0.05, stream.put_nowait, None)
        return Response(status_code=202)


RESULT = {
    "protocolVersion": "2025-11-25",
    "capabilities": {"tools": {}},
    "serverInfo": {"name": "scripted", "version": "1"},
}


@pytest.fixture
async def server():
    """The server, with its port in `server.url`."""
    server = ScriptedServer()
    config = uvicorn.Config(server.app, "127.0.0.1", 0, lifespan="off", log_config=None)
    runner = uvicorn.Server(config)
    socket = config.bind_socket()
    server.url = f"http://127.0.0.1:{socket.getsockname()[1]}/sse"
    serving = asyncio.create_task(runner.serve([socket]))
    yield server
    server.failed.set()
    for stream in server.streams:
        stream.put_nowait(None)
    runner.should_exit = True
    await serving


@pytest.fixture
def recoveries():
    return []


@pytest.fixture(params=["Python", "mcp-remote"])
async def caller(request, server, recoveries, tmp_path):
    """One client of the server, its session begun."""
    if request.param == "Python":
        caller = make_python(server.url, "legacy", recoveries.append)
    else:
        environment = {"HOME": str(tmp_path), "PATH": "/usr/bin:/bin"}
        programs = RemotePrograms(install_clients(), tmp_path, environment)
        caller = make_remote(server.url, programs, "client", recoveries.append)
    await caller.open("token")
    yield caller
    await caller.close()


async def fail(caller):
    async with asyncio.timeout(SECONDS):
        with pytest.raises(Exception, match=r".") as failure:
            await caller.call("any", {}, SECONDS)
    return failure


async def test_a_call_refused_after_its_stream_ended_is_orphaned(server, caller):
    """mcp-remote fails the call when its stream is back, before the hub answers."""
    server.on_call = server.end_and_refuse

    await fail(caller)

    server.failed.set()
    async with asyncio.timeout(SECONDS):
        assert await caller.is_orphaned()


async def test_a_call_that_was_accepted_is_never_orphaned(server, caller):
    """Its answer was due on the stream: the server is at fault."""
    server.on_call = server.accept_and_end

    await fail(caller)

    assert not await caller.is_orphaned()


@pytest.mark.parametrize("caller", ["mcp-remote"], indirect=True)
async def test_a_stream_that_was_opened_again_is_a_recovery(server, caller, recoveries):
    server.on_call = server.accept_and_end

    await fail(caller)

    with contextlib.suppress(Exception):
        await caller.call("any", {}, SECONDS)
    assert RecoveryKind.RECONNECTED in recoveries
