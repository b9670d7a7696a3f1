"""An HTTP transport that gives up on an answer larger than its bound.

A hundred hits with a megabyte of payload each would fill the memory before any row
limit sees them. Answers are asked for uncompressed, so what is counted is what is kept.
"""

from collections.abc import AsyncIterator

import httpx

LARGEST_ANSWER_BYTES = 16 * 1024 * 1024


class AnswerTooLarge(httpx.TransportError):
    """The other side sends more than the bound."""


class BoundedTransport(httpx.AsyncHTTPTransport):
    """httpx's transport with a bound on each answer's body."""

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send a request; reading the answer raises AnswerTooLarge past the bound."""
        request.headers["accept-encoding"] = "identity"
        response = await super().handle_async_request(request)
        assert isinstance(response.stream, httpx.AsyncByteStream)  # noqa: S101
        response.stream = BoundedStream(response.stream)
        return response


class BoundedStream(httpx.AsyncByteStream):
    """A body that may be read up to the bound."""

    def __init__(self, stream: httpx.AsyncByteStream) -> None:
        self._stream = stream

    async def __aiter__(self) -> AsyncIterator[bytes]:
        count = 0
        async for chunk in self._stream:
            count += len(chunk)
            if count > LARGEST_ANSWER_BYTES:
                raise AnswerTooLarge("answer too large")
            yield chunk

    async def aclose(self) -> None:
        """Close the connection's side of it."""
        await self._stream.aclose()
