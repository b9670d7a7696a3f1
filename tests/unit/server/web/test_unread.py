"""What clients have not read counts until they have, and no longer."""

import asyncio

import pytest
from starlette.types import Message, Receive, Scope, Send

from mcphub_server.web import write_clock
from mcphub_server.web.caller import Client, current_share, enter_client, find_share
from mcphub_server.web.http_protocol import BoundedProtocol
from mcphub_server.web.plain_protocol import PlainProtocol
from mcphub_server.web.unread import (
    LARGE_BYTES,
    LEAST_BYTES,
    CountedSending,
    UnreadAnswers,
    UnreadMiddleware,
)
from tests.support.waiting import wait_until
from tests.unit.server.web.test_plain_protocol import HOST, serving

ALICE, BOB = Client("alice"), Client("bob")
SIZE = 16 * 1024 * 1024
"""More than kernels keep of what one connection sends."""

PLAIN = b"GET / HTTP/1.1\r\n" + HOST + b"\r\n"


def body(data: bytes, *, more: bool = False) -> Message:
    return {"type": "http.response.body", "body": data, "more_body": more}


def test_a_caller_has_a_share() -> None:
    unread = UnreadAnswers()
    enter_client(ALICE)

    release = unread.hold(LEAST_BYTES // 2)

    assert unread.is_full(find_share(ALICE))
    assert not unread.is_full(find_share(BOB))
    release()
    assert not unread.is_full(find_share(ALICE))


def test_where_all_is_in_use_who_uses_nothing_is_served() -> None:
    unread = UnreadAnswers()
    for name in ("a", "b", "c"):
        enter_client(Client(name))
        unread.hold(LEAST_BYTES // 3 + 1)

    assert unread.is_full(current_share())
    assert not unread.is_full(find_share(BOB))


async def test_a_large_body_leaves_before_it_counts_no_more() -> None:
    unread, sent, gate = UnreadAnswers(), [], asyncio.Event()
    enter_client(ALICE)

    async def send(message: Message) -> None:
        if sent:  # as uvicorn while the connection has not taken what came before
            await gate.wait()
        sent.append(message)

    sending = CountedSending(send, unread)
    large = b"x" * (LARGE_BYTES + 1)
    task = asyncio.create_task(sending(body(large)))
    await wait_until(lambda: bool(sent))

    assert unread.count_held(find_share(ALICE)) == len(large)
    gate.set()
    await task
    assert unread.count_held(find_share(ALICE)) == 0
    assert sent == [body(large, more=True), {"type": "http.response.body", "body": b""}]


async def test_an_event_counts_until_the_next_one_is_sent() -> None:
    unread, sent = UnreadAnswers(), []
    enter_client(ALICE)

    async def send(message: Message) -> None:
        sent.append(message)

    sending = CountedSending(send, unread)
    large = body(b"x" * (LARGE_BYTES + 1), more=True)
    await sending(large)
    held = unread.count_held(find_share(ALICE))
    await sending(body(b": ping\r\n\r\n", more=True))

    assert held == LARGE_BYTES + 1
    assert unread.count_held(find_share(ALICE)) == 0
    assert sent == [large, body(b": ping\r\n\r\n", more=True)]


async def answer_at_length(_scope: Scope, _receive: Receive, send: Send) -> None:
    headers = [(b"content-length", str(SIZE).encode())]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send(body(b"x" * SIZE))


REQUESTS = [
    pytest.param(PLAIN, id="plain"),
    pytest.param(b"\r\n" + PLAIN, id="read by h11"),
]


@pytest.mark.parametrize("request_bytes", REQUESTS)
async def test_an_answer_counts_until_its_client_reads(request_bytes: bytes) -> None:
    unread = UnreadAnswers()
    app = UnreadMiddleware(answer_at_length, unread)

    def count() -> int:
        return unread.count_held(current_share())

    async with serving(PlainProtocol, app) as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(request_bytes)
        await wait_until(lambda: count() == SIZE)
        head = await reader.readuntil(b"\r\n\r\n")
        await reader.readexactly(SIZE)
        await wait_until(lambda: count() == 0)
        writer.write(PLAIN)
        again = await reader.readuntil(b"\r\n\r\n")
        writer.close()

    assert b"200 OK" in head
    assert b"200 OK" in again


@pytest.mark.parametrize("kind", [PlainProtocol, BoundedProtocol])
async def test_a_connection_that_takes_nothing_is_closed(
    monkeypatch: pytest.MonkeyPatch, kind: type[asyncio.Protocol]
) -> None:
    monkeypatch.setattr(write_clock, "STALLED_SECONDS", 0.05)
    unread = UnreadAnswers()
    app = UnreadMiddleware(answer_at_length, unread)
    async with serving(kind, app) as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(PLAIN)
        await reader.readuntil(b"\r\n\r\n")
        await wait_until(lambda: unread.count_held(current_share()) == 0)
        with pytest.raises((asyncio.IncompleteReadError, ConnectionError)):
            await reader.readexactly(SIZE)
        writer.close()
