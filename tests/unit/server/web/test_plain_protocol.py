"""Connections end alike whether h11 reads all of their requests or the rare ones."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import pairwise
from typing import Any

import h11
import uvicorn
from hypothesis import given, settings
from hypothesis import strategies as st
from starlette.types import ASGIApp, Receive, Scope, Send

from mcphub_server.lifespan import Listener, open_socket
from mcphub_server.web.http_protocol import BoundedProtocol
from mcphub_server.web.plain_protocol import PlainProtocol

Answer = tuple[int, bytes]

HOST = b"Host: localhost\r\n"
LAST = b"GET /last HTTP/1.1\r\n" + HOST + b"Connection: close\r\n\r\n"


def with_length(path: bytes, body: bytes, *added: bytes) -> bytes:
    lines = [b"POST %s HTTP/1.1" % path, *added, b"Content-Length: %d" % len(body)]
    return b"\r\n".join(lines) + b"\r\n" + HOST + b"\r\n" + body


def in_chunks(path: bytes, body: bytes) -> bytes:
    head = b"POST %s HTTP/1.1\r\n%sTransfer-Encoding: chunked\r\n\r\n" % (path, HOST)
    return head + b"%x\r\n%s\r\n0\r\n\r\n" % (len(body), body)


PATHS = [b"/echo?a=1", b"/early", b"/stream", b"/caf%C3%A9"]
ENDS = [
    LAST,
    with_length(b"/close", b"abc"),
    b"POST /echo HTTP/1.1\r\n\r\n",
    b"POST /echo HTTP/1.1\r\n" + HOST + HOST + b"\r\n",
    b"NONSENSE\r\n\r\n",
    b"POST /echo HTTP/1.1\r\nContent-Length: x\r\n" + HOST + b"\r\n",
]
"""The server closes after each; what came later would reset the connection."""

REQUESTS = st.one_of(
    st.builds(with_length, st.sampled_from(PATHS), st.binary(max_size=60)),
    st.builds(
        with_length,
        st.sampled_from(PATHS),
        st.binary(max_size=60),
        st.sampled_from([b"Expect: 100-continue", b"X:y", b"Connection: keep-alive"]),
    ),
    st.builds(in_chunks, st.sampled_from(PATHS), st.binary(min_size=1, max_size=60)),
    st.just(b"GET /echo HTTP/1.1\r\n" + HOST + b"\r\n"),
    st.just(b"\r\nGET /echo HTTP/1.1\r\n" + HOST + b"\r\n"),
)


async def app(scope: Scope, receive: Receive, send: Send) -> None:
    """Answer with what arrived; at once, as a stream, or with a last word."""
    seen = [scope["method"], scope["path"], scope["query_string"].decode()]
    headers: list[tuple[bytes, bytes]] = []
    body = b""
    if scope["path"] != "/early":
        more = True
        while more:
            message = await receive()
            body += message.get("body", b"")
            more = message.get("more_body", False)
    if scope["path"] == "/close":
        headers.append((b"connection", b"close"))
    text = json.dumps([*seen, sorted(map(repr, scope["headers"])), repr(body)]).encode()
    if scope["path"] != "/stream":
        headers.append((b"content-length", str(len(text)).encode()))
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    if scope["path"] == "/stream":
        await send({"type": "http.response.body", "body": text[:9], "more_body": True})
        await asyncio.sleep(0)
        text = text[9:]
    await send({"type": "http.response.body", "body": text})


@asynccontextmanager
async def serving(
    protocol: type[asyncio.Protocol], served: ASGIApp = app
) -> AsyncIterator[int]:
    config = uvicorn.Config(
        served,
        http=protocol,
        ws="none",
        lifespan="off",
        log_config=None,
        access_log=False,
    )
    listener = Listener(config)
    with open_socket("127.0.0.1", 0) as listening:
        serving = asyncio.create_task(listener.serve([listening]))
        await listener.listening.wait()
        try:
            yield listening.getsockname()[1]
        finally:
            listener.should_exit = True
            await serving


async def converse(port: int, segments: list[bytes]) -> list[Answer]:
    """Send the segments, and return the answers until the server closes."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    reading = asyncio.create_task(reader.read())
    try:
        for segment in segments:
            writer.write(segment)
            await writer.drain()
            await asyncio.sleep(0)
        said = await reading
    finally:
        writer.close()
    return read_answers(said)


def read_answers(said: bytes) -> list[Answer]:
    answers: list[Answer] = []
    while said:
        client = h11.Connection(h11.CLIENT)
        client.send(h11.Request(method="GET", target="/", headers=[("Host", "x")]))
        client.send(h11.EndOfMessage())
        client.receive_data(said)
        client.receive_data(b"")
        status, body = 0, b""
        while True:
            event: Any = client.next_event()
            if isinstance(event, h11.Response):
                status = event.status_code
            elif isinstance(event, h11.Data):
                body += event.data
            elif isinstance(event, h11.EndOfMessage):
                break
        answers.append((status, body))
        said = client.trailing_data[0]
    return answers


Case = tuple[list[bytes], list[int], bytes]
"""Requests, where their bytes are cut into segments, and the last request."""


def cut(data: bytes, places: list[int]) -> list[bytes]:
    """Cut bytes into segments."""
    inside = {place % (len(data) + 1) for place in places}
    at = sorted({0, *inside, len(data)})
    return [data[begin:end] for begin, end in pairwise(at)]


async def compare(cases: list[Case]) -> list[list[Answer]]:
    async with serving(PlainProtocol) as plain, serving(BoundedProtocol) as bounded:
        found = []
        for requests, places, end in cases:
            segments = [*cut(b"".join(requests), places), end]
            answers = await converse(plain, segments)
            assert answers == await converse(bounded, segments), segments
            found.append(answers)
        return found


CASES = st.tuples(
    st.lists(REQUESTS, max_size=5),
    st.lists(st.integers(0, 5000), max_size=6),
    st.sampled_from(ENDS),
)


@given(st.lists(CASES, min_size=1, max_size=12))
@settings(max_examples=20, derandomize=True, deadline=None)
def test_any_connection_is_answered_as_h11_would(cases: list[Case]) -> None:
    asyncio.run(compare(cases))


def test_the_comparison_sees_every_request() -> None:
    requests = [with_length(b"/echo", b"1"), with_length(b"/stream", b"2")]
    (answers,) = asyncio.run(compare([(requests, [5], LAST)]))

    assert [status for status, _ in answers] == [200, 200, 200]
    assert b"/last" in answers[-1][1]
