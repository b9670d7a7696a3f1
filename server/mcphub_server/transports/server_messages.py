"""Keeps what a session says by itself until its client has a stream for it.

A message that belongs to no request goes over the stream that a client opens with a
GET of its own. The SDK drops it while there is none: before a client has opened it,
and whenever it is opened anew, which every restart of a replica brings about. A
dropped question hangs the tool that asked it.
"""

from collections import deque
from typing import Any, Self

from mcp.server.streamable_http import GET_STREAM_KEY, EventMessage
from mcp.shared._stream_protocols import WriteStream
from mcp.shared.message import ServerMessageMetadata, SessionMessage
from mcp_types import JSONRPCNotification, JSONRPCRequest

MOST_HELD = 16
"""As many as the SDK's stream takes at once; what comes later is dropped, as before."""


class RequestStreams(dict[Any, Any]):
    """The SDK's table of a session's streams; fills a new one with what was held."""

    def __init__(self) -> None:
        super().__init__()
        self._held: deque[SessionMessage] = deque()

    def hold(self, message: SessionMessage) -> bool:
        """Keep a message if it is one for a stream that is not there."""
        if GET_STREAM_KEY in self or not is_unsolicited(message):
            return False
        if len(self._held) >= MOST_HELD:
            return False
        self._held.append(message)
        return True

    def __setitem__(self, key: Any, streams: Any) -> None:
        super().__setitem__(key, streams)
        if key == GET_STREAM_KEY:
            while self._held:
                streams[0].send_nowait(EventMessage(self._held.popleft().message))


def is_unsolicited(message: SessionMessage) -> bool:
    """Tell whether a message neither answers nor belongs to a request."""
    metadata = message.metadata
    belongs = (
        isinstance(metadata, ServerMessageMetadata)
        and metadata.related_request_id is not None
    )
    starts = isinstance(message.message, JSONRPCRequest | JSONRPCNotification)
    return starts and not belongs


class HoldingStream:
    """What a session writes to; holds what nobody could receive now."""

    def __init__(
        self, inner: WriteStream[SessionMessage], streams: RequestStreams
    ) -> None:
        self._inner = inner
        self._streams = streams

    async def send(self, item: SessionMessage, /) -> None:
        """Pass a message on, or hold it."""
        if not self._streams.hold(item):
            await self._inner.send(item)

    async def aclose(self) -> None:
        """Close the stream."""
        await self._inner.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_error: object) -> None:
        await self.aclose()
