"""The places where the hub reaches into the SDK, for the version named here.

They are `json_response` and `asgi_app.app` of the session manager, the name of the
transport's class in the manager's module, `is_json_response_enabled`, `connect`,
`_create_json_response` and `_request_streams` of the transport, and `_write` of the
module for revision 2026-07-28. After an update of the SDK read these again, then
change the version.
"""

import asyncio
import json
from contextlib import asynccontextmanager
from importlib.metadata import version
from itertools import count

import pytest
from fastmcp import Context, FastMCP

from mcphub_server.calls.fast_path import ToolFastPath
from mcphub_server.config.hub import TransportsConfig
from mcphub_server.tools.building import ToolDescription, build_result, build_tool
from mcphub_server.traffic.state import ServerState
from mcphub_server.transports.endpoints import build_transports
from mcphub_server.transports.response_mode import PerRequestTransport

KNOWN_SDK = "2.3.0"
IDS = count(1)

OPENING = {
    "protocolVersion": "2025-11-25",
    "capabilities": {},
    "clientInfo": {"name": "test", "version": "1"},
}

MODERN = "2026-07-28"
MODERN_META = {
    "io.modelcontextprotocol/protocolVersion": MODERN,
    "io.modelcontextprotocol/clientInfo": {"name": "test", "version": "1"},
    "io.modelcontextprotocol/clientCapabilities": {},
}

OBJECT = {"type": "object"}
SPACED = '{"z":  [1.0, "ä"]}'
"""JSON as no encoder writes it."""

CHATTY = {"name": "chatty", "_meta": {"progressToken": "token"}}


def build_server():
    mcp = FastMCP("test")

    @mcp.tool
    async def quick() -> str:
        return "done"

    @mcp.tool
    async def chatty(ctx: Context) -> str:
        await ctx.report_progress(1)
        return "done"

    own = build_tool(ToolDescription("own", "Own", "For tests.", OBJECT), answer_spaced)
    return mcp, ToolFastPath(mcp, {"own": own}.get, pass_on)


async def answer_spaced():
    return build_result(SPACED)


async def pass_on(context, call_next):
    return await call_next(context)


class QuickToo:
    """The hub's own tools, and one of FastMCP's that sends nothing but its result."""

    def __init__(self, own_tools):
        self.answer = own_tools.answer
        self._is_own = own_tools.is_own

    def is_own(self, name):
        return name == "quick" or self._is_own(name)


@asynccontextmanager
async def running(sessions):
    config = TransportsConfig.model_validate({"streamableHTTP": {"sessions": sessions}})
    mcp, own_tools = build_server()
    transports = build_transports(mcp, config, ServerState(), QuickToo(own_tools))
    async with transports.run():
        yield transports


async def post(app, method, params, session=None, added=()):
    """Return the headers and the body of a response."""
    # A session tells its requests apart by their ids.
    message = {"jsonrpc": "2.0", "id": next(IDS), "method": method, "params": params}
    headers = [
        (b"host", b"localhost"),
        (b"content-type", b"application/json"),
        (b"accept", b"application/json, text/event-stream"),
        *added,
    ]
    if session is not None:
        headers.append((b"mcp-session-id", session))
    waiting = [{"type": "http.request", "body": json.dumps(message).encode()}]
    started, body, answered = {}, bytearray(), asyncio.Event()

    async def receive():
        if waiting:
            return waiting.pop()
        await answered.wait()
        return {"type": "http.disconnect"}

    async def send(message):
        started.update(message.get("headers", ()))
        body.extend(message.get("body", b""))
        if message["type"] == "http.response.body" and not message.get("more_body"):
            answered.set()

    scope = {
        "type": "http",
        "method": "POST",
        "scheme": "http",
        "path": "/mcp",
        "query_string": b"",
        "headers": headers,
    }
    await app(scope, receive, send)
    return started, bytes(body)


async def begin(transports):
    headers, _body = await post(transports.app, "initialize", OPENING)
    return headers.get(b"mcp-session-id")


def test_the_sdk_has_the_version_that_the_hooks_are_known_for():
    assert version("mcp") == KNOWN_SDK


@pytest.mark.parametrize("sessions", ["Stateful", "Stateless"])
async def test_each_request_has_a_response_of_its_own_form(sessions):
    async with running(sessions) as transports:
        session = await begin(transports)
        (quick, one), (chatty, two) = await asyncio.gather(
            post(transports.app, "tools/call", {"name": "quick"}, session),
            post(transports.app, "tools/call", CHATTY, session),
        )

    assert quick[b"content-type"] == b"application/json"
    assert b"done" in one
    assert chatty[b"content-type"].startswith(b"text/event-stream")
    assert two.index(b"notifications/progress") < two.index(b"done")


async def test_sessions_have_the_transport_that_chooses_by_request():
    async with running("Stateful") as transports:
        await begin(transports)
        opened = list(transports.manager._server_instances.values())
        counted = transports.manager.count_sessions()

    assert [type(transport) for transport in opened] == [PerRequestTransport]
    assert counted == 1


@pytest.mark.parametrize(
    ("sessions", "revision"),
    [("Stateful", "2025-11-25"), ("Stateless", "2025-11-25"), ("Stateless", MODERN)],
)
async def test_a_result_that_is_json_already_is_not_encoded_again(sessions, revision):
    added = [
        (b"mcp-protocol-version", revision.encode()),
        (b"mcp-method", b"tools/call"),
        (b"mcp-name", b"own"),
    ]
    params = {"name": "own", "arguments": {}, "_meta": MODERN_META}
    async with running(sessions) as transports:
        session = await begin(transports)
        headers, body = await post(transports.app, "tools/call", params, session, added)

    assert headers[b"content-type"] == b"application/json"
    assert headers[b"content-length"] == str(len(body)).encode()
    assert headers.get(b"mcp-session-id") == session
    assert f'"structuredContent":{SPACED}'.encode() in body
    (block,) = json.loads(body)["result"]["content"]
    assert block["text"] == SPACED
