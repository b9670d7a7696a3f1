"""Connections that begin with plain requests, and how they go on."""

import json
from pathlib import Path

import pytest

from mcphub_server.web import http_protocol
from tests.integration.server.test_request_bodies import (
    LATE_SECONDS,
    PING,
    RawClient,
    connected,
    lines,
    running,
)

LENGTH = f"Content-Length: {len(PING)}"


def build_head(*added: str) -> bytes:
    return "\r\n".join(
        ["POST /mcp HTTP/1.1", "Host: localhost", *lines(*added), "", ""]
    ).encode()


async def ping(client: RawClient) -> int:
    await client.write(build_head(LENGTH) + PING)
    return (await client.answer()).status


async def ping_in_chunks(client: RawClient) -> int:
    await client.write(build_head("Transfer-Encoding: chunked"))
    await client.write(b"%x\r\n%s\r\n0\r\n\r\n" % (len(PING), PING))
    return (await client.answer()).status


async def test_requests_of_both_kinds_follow_one_another(tmp_path: Path) -> None:
    async with running(tmp_path) as hub, connected(hub) as client:
        asked = (ping, ping, ping_in_chunks, ping, ping_in_chunks)
        statuses = [await ask(client) for ask in asked]

    assert statuses == [200] * len(asked)


async def test_a_body_may_come_byte_by_byte(tmp_path: Path) -> None:
    async with running(tmp_path) as hub, connected(hub) as client:
        await client.write(build_head(LENGTH))
        for number in range(len(PING)):
            await client.write(PING[number : number + 1])
        answer = await client.answer()
        again = await ping(client)

    assert json.loads(answer.body)["id"] == 1
    assert (answer.status, again) == (200, 200)


@pytest.mark.parametrize("last", [LENGTH, "Transfer-Encoding: chunked"])
async def test_requests_that_were_sent_at_once_are_answered_in_order(
    tmp_path: Path, last: str
) -> None:
    def body(number: int) -> bytes:
        return PING.replace(b'"id":1', b'"id":%d' % number)

    chunked = b"%x\r\n%s\r\n0\r\n\r\n" % (len(PING), body(3))
    end = body(3) if last == LENGTH else chunked
    requests = [build_head(LENGTH) + body(number) for number in (1, 2)]
    async with running(tmp_path) as hub, connected(hub) as client:
        await client.write(b"".join([*requests, build_head(last), end]))
        answers = [await client.answer() for _ in range(3)]

    assert [json.loads(answer.body)["id"] for answer in answers] == [1, 2, 3]


async def test_a_request_follows_a_body_that_came_after_its_response(
    tmp_path: Path,
) -> None:
    async with running(tmp_path) as hub, connected(hub) as client:
        await client.begin("Content-Length: 100")
        refused = await client.answer()
        await client.write(b" " * 100)
        again = await ping(client)

    assert (refused.status, again) == (401, 200)


async def test_the_end_of_a_late_body_stops_its_clock(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(http_protocol, "REST_BYTES", 60)
    async with running(tmp_path) as hub, connected(hub) as client:
        for _ in range(3):
            await client.begin("Content-Length: 50")
            await client.answer()
            await client.write(b" " * 50)
        again = await ping(client)

    assert again == 200


@pytest.mark.parametrize("ask", [ping, ping_in_chunks])
async def test_a_second_head_that_does_not_end_is_closed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, ask: object
) -> None:
    monkeypatch.setattr(http_protocol, "HEAD_SECONDS", LATE_SECONDS)
    async with running(tmp_path) as hub, connected(hub) as client:
        assert callable(ask)
        await ask(client)
        await client.write(b"POST /mcp HT")
        answer = await client.answer()
        end = await client.reader.read()

    assert answer.status == 408
    assert end == b""


async def test_a_client_that_asks_to_close_is_closed(tmp_path: Path) -> None:
    async with running(tmp_path) as hub, connected(hub) as client:
        await ping(client)
        await client.write(build_head(LENGTH, "Connection: close") + PING)
        answer = await client.answer()
        end = await client.reader.read()

    assert answer.status == 200
    assert end == b""
