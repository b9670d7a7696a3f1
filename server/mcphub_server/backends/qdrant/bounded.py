"""An HTTP transport that gives up on an answer larger than its bound.

A hundred hits with a megabyte of payload each would fill the memory before any row
limit sees them, and the client would keep the event loop from others while it reads
them. Answers are asked for uncompressed, so what is counted is what is kept.
"""

from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

import httpx

LARGEST_ANSWER_BYTES = 4 * 1024 * 1024
"""Where a request asks for no other bound."""

ANSWER_SHARE = 8
"""Pages of bytes that an answer may have: hits are cut to fit after they were read."""

_largest: ContextVar[int] = ContextVar("mcphub_answer", default=LARGEST_ANSWER_BYTES)


class AnswerTooLarge(httpx.TransportError):
    """The other side sends more than the bound."""


@contextmanager
def answer_bounded(max_result_bytes: int) -> Iterator[None]:
    """Bound the answers to the block's requests by what their result may have."""
    token = _largest.set(max(LARGEST_ANSWER_BYTES, ANSWER_SHARE * max_result_bytes))
    try:
        yield
    finally:
        _largest.reset(token)


class BoundedTransport(httpx.AsyncHTTPTransport):
    """httpx's transport with a bound on each answer's body."""

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send a request; reading the answer raises AnswerTooLarge past the bound."""
        request.headers["accept-encoding"] = "identity"
        response = await super().handle_async_request(request)
        assert isinstance(response.stream, httpx.AsyncByteStream)  # noqa: S101
        response.stream = BoundedStream(response.stream, _largest.get())
        return response


class BoundedStream(httpx.AsyncByteStream):
    """A body that may be read up to the bound."""

    def __init__(self, stream: httpx.AsyncByteStream, largest_bytes: int) -> None:
        self._stream = stream
        self._largest_bytes = largest_bytes

    async def __aiter__(self) -> AsyncIterator[bytes]:
        count = 0
        async for chunk in self._stream:
            count += len(chunk)
            if count > self._largest_bytes:
                raise AnswerTooLarge("answer too large")
            yield chunk

    async def aclose(self) -> None:
        """Close the connection's side of it."""
        await self._stream.aclose()
