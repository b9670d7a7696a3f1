"""Request bodies over real sockets: a clock, a budget, and cheap small chunks."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from mcphub_server.web import bodies, http_protocol
from tests.support.hub import TOKEN, HubFiles, LoopHub, hub_in_loop

LATE_SECONDS = 0.2
PING = b'{"jsonrpc":"2.0","id":1,"method":"ping"}'

REVISIONS = [
    pytest.param({}, id="no revision"),
    pytest.param({"MCP-Protocol-Version": "2025-06-18"}, id="2025-06-18"),
    pytest.param({"MCP-Protocol-Version": "2025-11-25"}, id="2025-11-25"),
    pytest.param({"MCP-Protocol-Version": "2026-07-28"}, id="2026-07-28"),
    pytest.param({"Accept": "application/json"}, id="JSON alone"),
    pytest.param({"Mcp-Session-Id": "x"}, id="a session"),
]


@dataclass
class Answer:
    status: int
    headers: str
    body: bytes

    @property
    def sentence(self) -> str:
        message: str = json.loads(self.body)["error"]["message"]
        return message


class RawClient:
    """One connection, written to byte by byte."""

    def __init__(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        self.reader = reader
        self.writer = writer

    async def begin(
        self, *lines: str, method: str = "POST", path: str = "/mcp"
    ) -> None:
        head = [f"{method} {path} HTTP/1.1", "Host: localhost", *lines]
        await self.write("\r\n".join(head).encode() + b"\r\n\r\n")

    async def write(self, data: bytes) -> None:
        self.writer.write(data)
        await self.writer.drain()

    async def write_until_closed(self, data: bytes) -> None:
        """Write the same again and again; return once the server has closed."""
        with contextlib.suppress(ConnectionError):
            while True:
                await self.write(data)

    async def answer(self) -> Answer:
        head = (await self.reader.readuntil(b"\r\n\r\n")).decode()
        length = next(
            int(line.split(":")[1])
            for line in head.lower().splitlines()
            if line.startswith("content-length")
        )
        body = await self.reader.readexactly(length)
        return Answer(int(head.split()[1]), head.lower(), body)


@asynccontextmanager
async def connected(hub: LoopHub) -> AsyncIterator[RawClient]:
    reader, writer = await asyncio.open_connection("127.0.0.1", hub.port)
    try:
        yield RawClient(reader, writer)
    finally:
        writer.close()


def lines(*added: str, token: str = TOKEN, **headers: str) -> list[str]:
    known = {
        "Authorization": f"Bearer {token}",
        "Content-Type": "application/json",
        "Accept": "application/json, text/event-stream",
        **headers,
    }
    return [*(f"{name}: {value}" for name, value in known.items()), *added]


@asynccontextmanager
async def running(
    tmp_path: Path, sessions: str = "Stateless", **tokens: str
) -> AsyncIterator[LoopHub]:
    config = {"transports": {"streamableHTTP": {"sessions": sessions}}}
    files = HubFiles(tmp_path / "hub", config, tokens={"alice": TOKEN, **tokens})
    async with hub_in_loop(files) as hub:
        yield hub


@pytest.mark.parametrize("sessions", ["Stateless", "Stateful"])
@pytest.mark.parametrize("headers", REVISIONS)
async def test_a_slow_body_is_refused_when_its_time_is_over(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    headers: dict[str, str],
    sessions: str,
) -> None:
    monkeypatch.setattr(bodies, "READ_SECONDS", LATE_SECONDS)
    async with running(tmp_path, sessions) as hub, connected(hub) as client:
        await client.begin(*lines("Content-Length: 100", **headers))
        await client.write(b'{"jsonrpc"')
        answer = await client.answer()

    assert answer.status == 408
    assert "did not arrive within" in answer.sentence


async def test_the_body_of_a_delete_has_the_same_clock(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bodies, "READ_SECONDS", LATE_SECONDS)
    async with running(tmp_path) as hub, connected(hub) as client:
        await client.begin(*lines("Content-Length: 100"), method="DELETE")
        answer = await client.answer()

    assert answer.status == 408


async def test_bodies_of_one_caller_have_a_budget_and_others_go_on(
    tmp_path: Path,
) -> None:
    token = "secret-of-bob-22"
    async with AsyncExitStack() as stack:
        hub = await stack.enter_async_context(running(tmp_path, bob=token))
        greedy = [await stack.enter_async_context(connected(hub)) for _ in range(3)]
        for client in greedy:
            await client.begin(*lines(f"Content-Length: {bodies.LARGEST_BODY}"))
            await client.write(b" " * (3 * bodies.MEBIBYTE))
        refused = await first_answer(greedy)
        other = await stack.enter_async_context(connected(hub))
        await other.begin(*lines(f"Content-Length: {len(PING)}", token=token))
        await other.write(PING)
        answered = await other.answer()

    assert refused.status == 503
    assert "retry-after" in refused.headers
    assert "too many bytes" in refused.sentence
    assert answered.status == 200


async def first_answer(clients: list[RawClient]) -> Answer:
    waiting = [asyncio.create_task(client.answer()) for client in clients]
    done, others = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
    for task in others:
        task.cancel()
    await asyncio.gather(*others, return_exceptions=True)
    return done.pop().result()


async def test_a_body_that_says_it_is_too_large_is_not_read(tmp_path: Path) -> None:
    async with running(tmp_path) as hub, connected(hub) as client:
        await client.begin(*lines(f"Content-Length: {bodies.LARGEST_BODY + 1}"))
        answer = await client.answer()

    assert answer.status == 413
    assert "4 MiB" in answer.sentence


async def test_a_body_of_tiny_chunks_is_refused_early(tmp_path: Path) -> None:
    async with running(tmp_path) as hub, connected(hub) as client:
        await client.begin(*lines("Transfer-Encoding: chunked"))
        await client.write(b"1\r\nx\r\n" * (2 * http_protocol.FREE_CHUNKS))
        answer = await client.answer()

    assert answer.status == 400
    assert "tiny chunks" in answer.sentence


async def test_chunks_of_ordinary_clients_are_read(tmp_path: Path) -> None:
    body = PING + b" " * (600 * http_protocol.FREE_CHUNKS)
    async with running(tmp_path) as hub, connected(hub) as client:
        await client.begin(*lines("Transfer-Encoding: chunked"))
        for start in range(0, len(body), 600):
            part = body[start : start + 600]
            await client.write(b"%x\r\n%s\r\n" % (len(part), part))
        await client.write(b"0\r\n\r\n")
        answer = await client.answer()

    assert answer.status == 200


async def test_what_a_refused_stranger_goes_on_sending_is_bounded(
    tmp_path: Path,
) -> None:
    async with running(tmp_path) as hub, connected(hub) as stranger:
        await stranger.begin("Content-Length: 1000000000")
        refused = await stranger.answer()
        await stranger.write_until_closed(b" " * 250_000)

    assert refused.status == 401


async def test_a_refused_client_that_goes_silent_is_closed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(http_protocol, "REST_SECONDS", LATE_SECONDS)
    async with running(tmp_path) as hub, connected(hub) as stranger:
        await stranger.begin("Content-Length: 100")
        await stranger.answer()
        end = await stranger.reader.read()

    assert end == b""


async def test_a_head_that_does_not_end_is_closed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(http_protocol, "HEAD_SECONDS", LATE_SECONDS)
    async with running(tmp_path) as hub, connected(hub) as stranger:
        await stranger.write(b"POST /mcp HTTP/1.1\r\nHost: localh")
        answer = await stranger.answer()
        end = await stranger.reader.read()

    assert answer.status == 408
    assert end == b""


async def test_two_lengths_of_one_body_are_refused(tmp_path: Path) -> None:
    async with running(tmp_path) as hub, connected(hub) as client:
        framing = ("Content-Length: 5", "Transfer-Encoding: chunked")
        await client.begin(*lines(*framing))
        await client.write(b"0\r\n\r\n")
        answer = await client.answer()
        end = await client.reader.read()

    assert answer.status == 400
    assert end == b""


async def test_two_hosts_are_refused(tmp_path: Path) -> None:
    async with running(tmp_path) as hub, connected(hub) as client:
        await client.begin(*lines("Host: evil.example"))
        answer = await client.answer()

    assert answer.status == 400


@pytest.mark.parametrize("endpoint", ["/mcp", "/messages/?session_id=x"])
async def test_no_body_is_read_before_authentication(
    tmp_path: Path, endpoint: str
) -> None:
    async with running(tmp_path) as hub, connected(hub) as stranger:
        await stranger.begin("Content-Length: 100", path=endpoint)
        answer = await stranger.answer()

    assert answer.status == 401


@pytest.mark.parametrize("sessions", ["Stateless", "Stateful"])
@pytest.mark.parametrize("headers", REVISIONS[:4])
async def test_an_id_that_mcp_forbids_is_an_invalid_request(
    tmp_path: Path, headers: dict[str, str], sessions: str
) -> None:
    forbidden = ["null", "1.5", "1.0", "1e3", "true", "false", "[]", "{}"]
    async with running(tmp_path, sessions) as hub, connected(hub) as client:
        answers = {each: await post_id(client, each, headers) for each in forbidden}

    errors = {number: json.loads(each.body) for number, each in answers.items()}
    assert {each.status for each in answers.values()} == {400}
    assert {each["error"]["code"] for each in errors.values()} == {-32600}
    assert [each["id"] for each in errors.values()] == [None] * len(forbidden)


async def post_id(client: RawClient, number: str, headers: dict[str, str]) -> Answer:
    body = b'{"jsonrpc":"2.0","id":%s,"method":"ping"}' % number.encode()
    await client.begin(*lines(f"Content-Length: {len(body)}", **headers))
    await client.write(body)
    return await client.answer()
