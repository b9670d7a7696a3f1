"""Calls that are answered without the SDK get the answers that the SDK gives.

Each request goes to two servers of the same tools. One answers what it can by itself;
in the other every call passes the SDK.
"""

import asyncio
import json
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest
from fastmcp import FastMCP
from hypothesis import given, settings
from hypothesis import strategies as st
from mcp_types import CallToolRequestParams

from mcphub_server.calls.fast_path import ToolFastPath
from mcphub_server.calls.middleware import ToolCallMiddleware
from mcphub_server.calls.rate_limit import RateLimiter
from mcphub_server.config.hub import TransportsConfig
from mcphub_server.management.metrics import Metrics
from mcphub_server.tools.building import (
    ToolDescription,
    build_error,
    build_result,
    build_tool,
)
from mcphub_server.traffic.state import ServerState
from mcphub_server.transports.endpoints import Transports, build_transports
from mcphub_server.web.request import find_request

MODERN = "2026-07-28"
CLASSIC = "2025-11-25"
OBJECT = {"type": "object"}

Headers = list[tuple[bytes, bytes]]
Answer = tuple[int, str, Any]


@dataclass
class Counting:
    """The hub's own tools; counts the calls that were answered directly."""

    inner: ToolFastPath
    direct: bool
    count: int = 0
    tools: set[str] = field(default_factory=set)

    def is_own(self, name: str) -> bool:
        return self.inner.is_own(name)

    async def answer(
        self, params: CallToolRequestParams, revision: str
    ) -> dict[str, Any] | None:
        if not self.direct:
            return None
        result = await self.inner.answer(params, revision)
        self.count += result is not None
        return result


async def echo(value: Any = None, number: int = 0) -> Any:
    return build_result(json.dumps({"value": value, "number": number}))


async def fail(value: str = "") -> Any:
    return build_error(f"It cannot be done: {value}", "refused", 1.5)


async def crash() -> Any:
    raise RuntimeError("the secret of the server")


async def add(left: int, right: int) -> int:
    return left + right


@dataclass
class Server:
    """A server, and its own tools."""

    transports: Transports
    own: Counting


def build_server(sessions: str, *, direct: bool) -> Server:
    limiter = RateLimiter(1e9, 1e9)
    calls = ToolCallMiddleware(
        [(limiter, lambda client: client.principal)], Metrics("test"), ServerState()
    )
    mcp: FastMCP = FastMCP("test", version="1", middleware=[calls])
    own = {
        tool.name: tool
        for tool in (
            build_tool(ToolDescription(name, name, "For tests.", OBJECT), function)
            for name, function in (("echo", echo), ("fail", fail), ("crash", crash))
        )
    }
    mcp.tool(add)
    counting = Counting(ToolFastPath(mcp, own.get, calls), direct)
    config = TransportsConfig.model_validate({"streamableHTTP": {"sessions": sessions}})
    return Server(build_transports(mcp, config, ServerState(), counting), counting)


@asynccontextmanager
async def both(sessions: str = "Stateless") -> AsyncIterator[tuple[Server, Server]]:
    """The server that answers directly, and the one that asks the SDK."""
    direct = build_server(sessions, direct=True)
    plain = build_server(sessions, direct=False)
    async with direct.transports.run(), plain.transports.run():
        yield direct, plain


async def ask(server: Server, headers: Headers, body: bytes) -> Answer:
    """Return the status, the type and the message of a response."""
    parts = [{"type": "http.request", "body": body, "more_body": False}]
    start: dict[str, Any] = {}
    said = bytearray()
    ended = asyncio.Event()

    async def receive() -> dict[str, Any]:
        if parts:
            return parts.pop()
        await ended.wait()
        return {"type": "http.disconnect"}

    async def send(message: Any) -> None:
        if message["type"] == "http.response.start":
            start.update(message)
            return
        said.extend(message.get("body", b""))
        if not message.get("more_body"):
            ended.set()

    scope = {
        "type": "http",
        "method": "POST",
        "scheme": "http",
        "path": "/mcp",
        "query_string": b"",
        "headers": headers,
    }
    request = find_request(scope)
    assert request is not None
    await server.transports.app(scope, receive, send)
    found = dict(start["headers"])
    kind = found.get(b"content-type", b"").decode()
    assert int(found.get(b"content-length", len(said))) == len(said)
    return start["status"], kind, read(bytes(said))


def read(body: bytes) -> Any:
    for line in body.splitlines():
        if line.startswith(b"data: "):
            body = line.removeprefix(b"data: ")
    try:
        return json.loads(body)
    except ValueError:
        return body


def build_headers(
    revision: str = CLASSIC, tool: str = "echo", **changed: str | None
) -> Headers:
    """Return what a client sends; keyword arguments replace or remove (None)."""
    headers: dict[str, str | None] = {
        "accept": "application/json, text/event-stream",
        "content-type": "application/json",
        "mcp-protocol-version": revision,
    }
    if revision == MODERN:
        headers |= {"mcp-method": "tools/call", "mcp-name": tool}
    headers |= {name.replace("_", "-"): value for name, value in changed.items()}
    return [
        (name.encode(), value.encode("latin-1"))
        for name, value in headers.items()
        if value is not None
    ]


def build_body(revision: str = CLASSIC, tool: str = "echo", **changed: Any) -> bytes:
    """Return a call; keyword arguments replace members of its parameters."""
    meta: dict[str, Any] = {}
    if revision == MODERN:
        meta = {
            "io.modelcontextprotocol/protocolVersion": MODERN,
            "io.modelcontextprotocol/clientInfo": {"name": "test", "version": "1"},
            "io.modelcontextprotocol/clientCapabilities": {},
        }
    params = {"name": tool, "arguments": {}, "_meta": meta, **changed}
    message = {"jsonrpc": "2.0", "id": 7, "method": "tools/call", "params": params}
    return json.dumps(message).encode()


def with_member(name: str, text: str, revision: str = CLASSIC) -> bytes:
    """Return a call with one more member, as it is written."""
    body = build_body(revision)
    return body[:-1] + f', "{name}": {text}}}'.encode()


DIRECT = [
    pytest.param(build_headers(), build_body(), id="a call of 2025"),
    pytest.param(build_headers("2025-03-26"), build_body(), id="of an older revision"),
    pytest.param(build_headers(MODERN), build_body(MODERN), id="a call of 2026"),
    pytest.param(
        build_headers(accept="text/event-stream;q=0.5, Application/JSON;q=1"),
        build_body(),
        id="other words for the types",
    ),
    pytest.param(
        build_headers(content_type="application/json; charset=utf-8"),
        build_body(),
        id="a charset",
    ),
    pytest.param(
        build_headers(),
        build_body(arguments={"value": {"a": [1, 2.5, None, "ä😀"]}, "number": 3}),
        id="arguments of all types",
    ),
    pytest.param(
        build_headers(),
        build_body(_meta={"progressToken": 5, "claudecode/toolUseId": "x"}),
        id="a progress token",
    ),
    pytest.param(
        build_headers(), build_body(arguments={"number": "many"}), id="a wrong type"
    ),
    pytest.param(
        build_headers(), build_body(arguments={"wrong": 1}), id="a wrong name"
    ),
    *(
        pytest.param(
            build_headers(revision, tool), build_body(revision, tool), id=sentence
        )
        for revision in (CLASSIC, "2025-03-26", MODERN)
        for tool, sentence in (
            ("fail", f"a tool that refuses, {revision}"),
            ("crash", f"a tool that crashes, {revision}"),
        )
    ),
]

BY_THE_SDK = [
    pytest.param(build_headers(), b"", id="no body"),
    pytest.param(build_headers(), b"{", id="half a body"),
    pytest.param(build_headers(), b"[" + build_body() + b"]", id="a batch"),
    pytest.param(
        build_headers(), build_body(arguments=[1]), id="arguments that are a list"
    ),
    pytest.param(build_headers(), build_body(arguments=None), id="no arguments"),
    pytest.param(build_headers(), build_body(name=3), id="a name that is a number"),
    pytest.param(
        build_headers(),
        build_body(_meta={"progressToken": 1.5}),
        id="an odd progress token",
    ),
    pytest.param(
        build_headers(),
        build_body(_meta={"progressToken": True}),
        id="a progress token that is true",
    ),
    pytest.param(build_headers(), build_body(task={"ttl": 1}), id="a task"),
    pytest.param(build_headers(), with_member("extra", "1"), id="one member more"),
    pytest.param(build_headers(), with_member("jsonrpc", '"1.0"'), id="JSON-RPC 1.0"),
    pytest.param(
        build_headers(),
        build_body(arguments={"value": "\ud800"}),
        id="half a surrogate pair",
    ),
    pytest.param(
        build_headers(), build_body().replace(b"{}", b'{"value": NaN}', 1), id="NaN"
    ),
    pytest.param(build_headers(accept="text/plain"), build_body(), id="no JSON wanted"),
    pytest.param(build_headers(accept=None), build_body(), id="nothing said of types"),
    pytest.param(build_headers(accept="*/*"), build_body(), id="any type"),
    pytest.param(
        build_headers(content_type="text/plain"), build_body(), id="another type"
    ),
    pytest.param(build_headers(content_type=None), build_body(), id="no type"),
    pytest.param(build_headers("1999-01-01"), build_body(), id="an unknown revision"),
    pytest.param(
        build_headers(mcp_protocol_version=None), build_body(), id="no revision"
    ),
    pytest.param(build_headers(MODERN), build_body(), id="no envelope"),
    pytest.param(
        build_headers(MODERN, mcp_name="fail"), build_body(MODERN), id="another name"
    ),
    pytest.param(
        build_headers(MODERN, mcp_method=None), build_body(MODERN), id="no method"
    ),
    pytest.param(
        build_headers(MODERN, mcp_method="tools/list"),
        build_body(MODERN),
        id="another method",
    ),
    pytest.param(
        build_headers(MODERN, mcp_param_value="1"),
        build_body(MODERN),
        id="a parameter in a header",
    ),
    pytest.param(
        [*build_headers(MODERN), (b"mcp-name", b"echo")],
        build_body(MODERN),
        id="a header twice",
    ),
    pytest.param(
        build_headers(), build_body(tool="add", arguments={"left": 1, "right": 2}),
        id="a tool that is not the hub's own",
    ),
    pytest.param(build_headers(), build_body(tool="none"), id="an unknown tool"),
    pytest.param(
        build_headers(),
        build_body().replace(b"tools/call", b"tools/list"),
        id="another method of the protocol",
    ),
]  # fmt: skip


async def compare(headers: Headers, body: bytes) -> tuple[Answer, Answer, int]:
    async with both() as (direct, plain):
        answers = [await ask(server, headers, body) for server in (direct, plain)]
        return answers[0], answers[1], direct.own.count


@pytest.mark.parametrize(("headers", "body"), DIRECT)
async def test_a_direct_answer_is_the_one_that_the_sdk_gives(
    headers: Headers, body: bytes
):
    answer, expected, count = await compare(headers, body)

    assert answer == expected
    assert count == 1


@pytest.mark.parametrize(("headers", "body"), BY_THE_SDK)
async def test_every_other_request_is_the_sdks(headers: Headers, body: bytes):
    answer, expected, count = await compare(headers, body)

    assert answer == expected
    assert count == 0


async def test_a_session_is_the_sdks():
    async with both("Stateful") as (direct, _):
        status, _, _ = await ask(direct, build_headers(), build_body())
        assert (status, direct.own.count) == (400, 0)

        status, _, _ = await ask(direct, build_headers(MODERN), build_body(MODERN))
        assert (status, direct.own.count) == (200, 1)


VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=[]), max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.text(max_size=4), inner, max_size=3)
    ),
    max_leaves=6,
)
"""Any JSON value, halves of surrogate pairs included."""

TOOLS = st.sampled_from(["echo", "fail", "crash", "add", "none"])
ARGUMENTS = st.dictionaries(
    st.sampled_from(["value", "number", "left", "right", "x"]), VALUES, max_size=3
)
META = st.dictionaries(
    st.sampled_from(["progressToken", "progress_token", "other"]), VALUES, max_size=2
)


@st.composite
def requests(draw: st.DrawFn) -> tuple[Headers, bytes]:
    """Draw a call with anything in its places."""
    revision = draw(st.sampled_from([CLASSIC, "2025-03-26", MODERN]))
    tool = draw(TOOLS)
    body = json.loads(build_body(revision, tool, arguments=draw(ARGUMENTS)))
    body["id"] = draw(st.integers(-(2**70), 2**70) | st.text(max_size=5))
    body["params"]["_meta"] |= draw(META)
    is_ascii = draw(st.booleans())
    text = json.dumps(body, ensure_ascii=is_ascii)
    return build_headers(revision, tool), text.encode("utf-8", "surrogatepass")


@given(st.lists(requests(), min_size=1, max_size=12))
@settings(max_examples=25, deadline=None)
def test_generated_calls_are_answered_alike(drawn: list[tuple[Headers, bytes]]):
    async def compare_all() -> None:
        async with both() as (direct, plain):
            for headers, body in drawn:
                answer = await ask(direct, headers, body)
                assert answer == await ask(plain, headers, body), body

    asyncio.run(compare_all())


def test_half_of_the_generated_calls_are_direct():
    """Else the comparison would compare the SDK with itself."""
    counted: list[tuple[int, int]] = []

    @given(st.lists(requests(), min_size=12, max_size=12))
    @settings(max_examples=5, deadline=None, derandomize=True, database=None)
    def count(drawn: Iterable[tuple[Headers, bytes]]) -> None:
        async def count_all() -> None:
            async with both() as (direct, _):
                for headers, body in drawn:
                    await ask(direct, headers, body)
                counted.append((direct.own.count, 12))

        asyncio.run(count_all())

    count()

    assert sum(direct for direct, _ in counted) > 0.2 * sum(of for _, of in counted)
