"""What this replica is doing: calls, requests, streams, and whether it drains.

SSE answers a POST with 202 while its call still runs, so calls are counted where tools
run and requests where HTTP is served. A drain waits for both.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from mcphub_server.traffic.capacity import (
    SESSIONS_PER_STREAM,
    USUAL_LIMIT_BYTES,
    Capacity,
    build_capacity,
    count_streams,
)
from mcphub_server.traffic.connections import Connection
from mcphub_server.traffic.streams import Stream, current_stream
from mcphub_server.web.throttle import Throttle
from mcphub_server.web.unread import UnreadAnswers

USUAL_CAPACITY = build_capacity(count_streams(USUAL_LIMIT_BYTES))


class ServerState:
    """The counters of one replica, and the phase of its life.

    Attributes:
        calls: Tool calls that run now.
        requests: HTTP requests that have no response yet.
        throttle: What callers have used of the event loop.
        unread: The answers that callers have not read.
        open_streams: Responses and WebSockets that last as long as clients like.
        capacity: How many of these there may be.
        redirected, refused: New sessions that this replica did not begin.
        count_connections: Returns how many connections the listener holds.
        count_sessions: Returns how many sessions on `/mcp` the SDK holds.
    """

    def __init__(
        self,
        clock: Callable[[], float] = time.monotonic,
        capacity: Capacity = USUAL_CAPACITY,
        unread: UnreadAnswers | None = None,
    ) -> None:
        self.capacity = capacity
        self.throttle = Throttle()
        self.unread = unread or UnreadAnswers()
        self.redirected = 0
        self.refused = 0
        self.calls = 0
        self.requests = 0
        self.open_streams: set[Stream] = set()
        self.count_connections: Callable[[], int] = int
        self.count_sessions: Callable[[], int] = int
        self.serving = False
        self.draining = False
        self._clock = clock
        self._busy_at = clock()
        self._kept_at = clock()
        self._listeners: list[Callable[[], None]] = []

    @property
    def streams(self) -> int:
        """How many streams are open."""
        return len(self.open_streams)

    @property
    def occupied(self) -> int:
        """How much of the capacity is in use, in streams."""
        return self.streams + self.count_sessions() // SESSIONS_PER_STREAM

    def on_change(self, listener: Callable[[], None]) -> None:
        """Call a function at each change of what `/status` shows."""
        self._listeners.append(listener)

    def begin_serving(self) -> None:
        """Both listeners are open."""
        self.serving = True
        self.notify()

    def begin_draining(self) -> None:
        """No stream and no session should begin here."""
        self.draining = True
        self._kept_at = self._clock()
        for stream in list(self.open_streams):
            stream.begin_draining()
        self.notify()

    def note_kept_connection(self) -> None:
        """Record that a client may use the connection of its last response again."""
        self._kept_at = self._clock()

    @contextmanager
    def call(self) -> Iterator[None]:
        """Count one running call."""
        self.calls += 1
        try:
            yield
        finally:
            self.calls -= 1
            self._busy_at = self._clock()

    @contextmanager
    def request(self) -> Iterator[None]:
        """Count one HTTP request that will be answered."""
        self.requests += 1
        try:
            yield
        finally:
            self.requests -= 1
            self._busy_at = self._clock()

    @contextmanager
    def stream(self) -> Iterator[Stream]:
        """Count one stream that lasts as long as its client likes."""
        stream = Stream(self._clock)
        with self._open(stream):
            yield stream

    @contextmanager
    def connection(self) -> Iterator[Connection]:
        """Count one WebSocket, as a stream."""
        connection = Connection(self._clock)
        with self._open(connection):
            yield connection

    @contextmanager
    def _open(self, stream: Stream) -> Iterator[None]:
        self.open_streams.add(stream)
        try:
            yield
        finally:
            self.open_streams.discard(stream)
            stream.close()
            self._busy_at = self._clock()

    def hold_answer(self, size: int) -> None:
        """Count an answer that waits for its stream as not read."""
        stream = current_stream()
        if stream is not None:
            stream.keep(self.unread.hold(size))

    def is_idle(self, seconds: float) -> bool:
        """Return whether nothing has run, waited or streamed for so long."""
        busy = self.calls or self.requests or self.open_streams
        return not busy and self._clock() - self._busy_at >= seconds

    def count_kept_seconds(self) -> float:
        """Return how long ago a client last got a connection that it may use again."""
        return self._clock() - self._kept_at

    def notify(self) -> None:
        """Call the listeners."""
        for listener in self._listeners:
            listener()
