"""Open streams: what was asked over each, and when it may end without a loss.

A stream of the SSE transport carries the answers to messages that were posted
elsewhere, so whether it is idle shows in neither its request nor its response alone.
"""

import time
from asyncio import Event
from collections.abc import Callable

from mcphub_server.web.jsonrpc import (
    RequestKey,
    find_cancelled,
    find_method,
    find_request,
)
from mcphub_server.web.sse import COMMENT, find_answered

MOST_PENDING = 128
"""Requests that one stream may owe: twice what a replica runs at once, by default. A
client that does not read would pile up answers without an end."""

CALL = "tools/call"

STREAM = "mcphub.stream"
"""The scope's key for the `Stream` that a request opened."""


class Stream:
    """One open stream.

    Attributes:
        pending: The requests whose answers have not been sent yet.
        closing: No tool call begins any more; the stream ends after its last answer.
        declined: The requests that came too late for that.
        ended: Set when the server wants the stream closed.
        finished: Its last event is on its way; what is posted now finds no stream.
        fresh: No message has been posted for it yet.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self.pending: set[RequestKey] = set()
        self.closing = False
        self.declined: set[RequestKey] = set()
        self.ended = Event()
        self.finished = False
        self.fresh = True
        self._clock = clock
        self._active_at = clock()

    @property
    def is_full(self) -> bool:
        """Whether the stream owes more answers than a client should ask for."""
        return len(self.pending) >= MOST_PENDING

    def note_message(self, body: bytes) -> bool:
        """A message was posted for this stream; False if it must not be served."""
        self.forget(find_cancelled(body))
        request = find_request(body)
        if request is not None and self._declines(body):
            self.declined.add(request)
            return False
        self.fresh = False
        self._active_at = self._clock()
        if request is not None:
            self.pending.add(request)
        return True

    def _declines(self, body: bytes) -> bool:
        """Say whether a request comes too late.

        Only calls can last. What else a client asks for is answered at once, and some
        ask after a call for what they need to read its result.
        """
        return self.ended.is_set() or (self.closing and find_method(body) == CALL)

    def forget(self, request: RequestKey | None) -> None:
        """A request was cancelled, or refused where it was posted: none is owed."""
        if request is not None:
            self.pending.discard(request)

    def note_chunk(self, chunk: bytes) -> None:
        """The stream sends a chunk; a ping is no sign of life."""
        if chunk.startswith(COMMENT):
            return
        self._active_at = self._clock()
        self.forget(find_answered(chunk))

    def is_idle(self, seconds: float) -> bool:
        """Say whether nothing is owed, and nothing happened for a while."""
        return not self.pending and self._clock() - self._active_at >= seconds
