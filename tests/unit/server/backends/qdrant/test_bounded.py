"""Answers of Qdrant are read up to a bound, in proportion to the result."""

from collections.abc import AsyncIterator

import httpx
import pytest

from mcphub_server.backends.qdrant.bounded import (
    ANSWER_SHARE,
    LARGEST_ANSWER_BYTES,
    AnswerTooLarge,
    BoundedTransport,
    answer_bounded,
)

MEBIBYTE = 1024 * 1024


class Chunks(httpx.AsyncByteStream):
    def __init__(self, size: int) -> None:
        self._size = size

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for _ in range(self._size // MEBIBYTE):
            yield b" " * MEBIBYTE
        yield b" " * (self._size % MEBIBYTE)


async def read(monkeypatch: pytest.MonkeyPatch, size: int) -> int:
    """Read an answer of so many bytes; return how many arrived."""

    async def handle(*_: object) -> httpx.Response:
        return httpx.Response(200, stream=Chunks(size))

    monkeypatch.setattr(httpx.AsyncHTTPTransport, "handle_async_request", handle)
    async with httpx.AsyncClient(transport=BoundedTransport()) as client:
        return len((await client.get("http://qdrant")).content)


async def test_an_answer_within_the_bound_is_read(monkeypatch):
    assert await read(monkeypatch, LARGEST_ANSWER_BYTES) == LARGEST_ANSWER_BYTES


async def test_a_larger_one_is_given_up(monkeypatch):
    with pytest.raises(AnswerTooLarge):
        await read(monkeypatch, LARGEST_ANSWER_BYTES + 1)


async def test_a_hub_with_larger_results_reads_larger_answers(monkeypatch):
    size = ANSWER_SHARE * MEBIBYTE

    with answer_bounded(MEBIBYTE):
        assert await read(monkeypatch, size) == size
        with pytest.raises(AnswerTooLarge):
            await read(monkeypatch, size + 1)


async def test_a_hub_with_smaller_results_reads_no_less(monkeypatch):
    with answer_bounded(1):
        assert await read(monkeypatch, LARGEST_ANSWER_BYTES) == LARGEST_ANSWER_BYTES
