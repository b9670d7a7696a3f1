"""Holds messages of the server until the client has opened a stream for them.

A message that belongs to no request is sent over the stream that a client opens with
a GET. The SDK drops it while there is no such stream: before the client has opened it,
and while the client reopens it, as it does after each restart of a replica. A tool
whose request to the client is dropped waits without end.
"""

from collections import deque
from typing import Any, Self

from mcp.server.streamable_http import GET_STREAM_KEY, EventMessage
from mcp.shared._stream_protocols import WriteStream
from mcp.shared.message import ServerMessageMetadata, SessionMessage
from mcp_types import JSONRPCNotification, JSONRPCRequest

MAX_HELD = 16
"""As many as the SDK's stream takes at once; later ones are dropped."""


class RequestStreams(dict[Any, Any]):
    """The SDK's table of a session's streams; a new stream gets what was held."""

    def __init__(self) -> None:
        super().__init__()
        self._held: deque[SessionMessage] = deque()

    def hold(self, message: SessionMessage) -> bool:
        """Hold a message for a stream that is not open; return whether it was held."""
        if GET_STREAM_KEY in self or not is_unsolicited(message):
            return False
        if len(self._held) >= MAX_HELD:
            return False
        self._held.append(message)
        return True

    def __setitem__(self, key: Any, streams: Any) -> None:
        super().__setitem__(key, streams)
        if key == GET_STREAM_KEY:
            while self._held:
                streams[0].send_nowait(EventMessage(self._held.popleft().message))


def is_unsolicited(message: SessionMessage) -> bool:
    """Return whether a message neither answers nor belongs to a request."""
    metadata = message.metadata
    belongs = (
        isinstance(metadata, ServerMessageMetadata)
        and metadata.related_request_id is not None
    )
    starts = isinstance(message.message, JSONRPCRequest | JSONRPCNotification)
    return starts and not belongs


class HoldingStream:
    """What a session writes to; holds what the client cannot receive yet."""

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
