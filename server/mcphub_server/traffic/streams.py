"""Open streams: which requests each still has to answer, and when it may end.

The SSE transport answers on one stream what clients post elsewhere, so neither the
request nor the response of a stream alone shows whether it is idle.
"""

import time
from asyncio import Event
from collections import deque
from collections.abc import Callable
from contextvars import ContextVar

from mcphub_server.web.jsonrpc import CALL_METHOD, Message, RequestKey
from mcphub_server.web.sse import COMMENT, find_answered
from mcphub_server.web.unread import Release

MOST_PENDING = 128
"""Of one stream: twice what a replica runs at once, by default. Without a limit the
responses of a client that does not read pile up."""

CUT = "The replica stopped before this call ended; call again."
DECLINED = "The replica is stopping and did not begin this call; call again."

STREAM = "mcphub.stream"
"""The scope's key for the `Stream` that a request opened."""


_current: ContextVar["Stream | None"] = ContextVar("mcphub_stream", default=None)


def enter_stream(stream: "Stream") -> None:
    """Make this the stream over which the current task's request is answered."""
    _current.set(stream)


def current_stream() -> "Stream | None":
    """Return the stream over which the current request is answered, if it has one."""
    return _current.get()


class Stream:
    """One open stream.

    Attributes:
        pending: The requests that have no response yet.
        closing: No call begins any more; the stream ends after its last response.
        declined: The requests that arrived too late for that.
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
        self._kept: deque[Release] = deque()
        self._is_closed = False

    def keep(self, release: Release) -> None:
        """Call this when an answer has left, or the stream is closed."""
        if self._is_closed:
            release()
        else:
            self._kept.append(release)

    def close(self) -> None:
        """Learn that nothing is sent any more."""
        self._is_closed = True
        while self._kept:
            self._kept.popleft()()

    @property
    def is_full(self) -> bool:
        """Whether as many requests are pending as one client may have."""
        return len(self.pending) >= MOST_PENDING

    def note_message(self, message: Message) -> bool:
        """Record a message that was posted; return whether it may be served."""
        self.forget(message.cancelled_id)
        request = message.request_id
        if request is not None and self._declines(message):
            self.declined.add(request)
            return False
        self.fresh = False
        self._active_at = self._clock()
        if request is not None:
            self.pending.add(request)
        return True

    def _declines(self, message: Message) -> bool:
        """Return whether a request arrives too late.

        Only calls can last. Every other request is answered at once, and some clients
        send one after a call to be able to read its result.
        """
        is_call = message.method == CALL_METHOD
        return self.ended.is_set() or (self.closing and is_call)

    def forget(self, request: RequestKey | None) -> None:
        """Forget a request that was answered, cancelled or rejected."""
        if request in self.pending:
            self.pending.discard(request)
            if self._kept:
                self._kept.popleft()()

    def note_chunk(self, chunk: bytes) -> None:
        """Record a chunk that the stream sends; pings do not count as activity."""
        if chunk.startswith(COMMENT):
            return
        self._active_at = self._clock()
        self.forget(find_answered(chunk))

    def is_idle(self, seconds: float) -> bool:
        """Return whether nothing is pending and nothing happened for so long."""
        return not self.pending and self._clock() - self._active_at >= seconds

    def begin_draining(self) -> None:
        """Learn that the replica stops; a stream of events ends when it is idle."""
