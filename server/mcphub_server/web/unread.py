"""Counts the bytes of answers that their callers have not read yet.

A call gives its slot back when its answer is made. How long the answer stays in memory
then, its client decides: one that sends calls and reads nothing would fill a replica
within a second. So a caller whose unread answers take up a share gets no further one.
What counts is an answer that waits for its stream, and each large body or event until
the connection has taken it. `write_clock` ends connections that take nothing.
"""

from collections import Counter
from collections.abc import Callable

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from mcphub_server.web.caller import Share, current_share

MEBIBYTE = 1024 * 1024

TOTAL_SHARE = 8
"""Unread answers may fill this part of the memory limit, at least `LEAST_BYTES`."""

CALLER_SHARE = 2
"""A caller may fill this part of it."""

LEAST_BYTES = 16 * MEBIBYTE

Release = Callable[[], None]

LARGE_BYTES = 64 * 1024
"""What uvicorn hands to a connection without waiting for what came before."""


class UnreadAnswers:
    """The bytes of answers that a replica holds for its callers.

    Args:
        memory_bytes: The memory limit of the process.
    """

    def __init__(self, memory_bytes: int = 0) -> None:
        self._most = max(memory_bytes // TOTAL_SHARE, LEAST_BYTES)
        self._share = self._most // CALLER_SHARE
        self._held: Counter[Share] = Counter()
        self._all_held = 0

    def is_full(self, caller: Share) -> bool:
        """Return whether a caller has to read answers before it may get more."""
        held = self._held[caller]
        return held >= self._share or (held > 0 and self._all_held >= self._most)

    def count_held(self, caller: Share) -> int:
        """Return how many bytes a caller has not read."""
        return self._held[caller]

    def hold(self, size: int) -> Release:
        """Count bytes of the current caller; return what ends that."""
        caller = current_share()
        self._take(caller, size)
        return lambda: self._take(caller, -size)

    def _take(self, caller: Share, size: int) -> None:
        self._all_held += size
        self._held[caller] += size
        if not self._held[caller]:
            del self._held[caller]


class UnreadMiddleware:
    """Counts what responses send until their connections have taken it."""

    def __init__(self, app: ASGIApp, unread: UnreadAnswers) -> None:
        self._app = app
        self._unread = unread

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        sending = CountedSending(send, self._unread)
        try:
            await self._app(scope, receive, sending)
        finally:
            sending.release()


class CountedSending:
    """Sends messages; a large one counts until the next has been sent.

    uvicorn waits before it sends a message, until the connection has taken the one
    before. So a large body gets an empty one behind it.
    """

    def __init__(self, send: Send, unread: UnreadAnswers) -> None:
        self._send = send
        self._unread = unread
        self._release: Release | None = None

    async def __call__(self, message: Message) -> None:
        """Send one ASGI message."""
        size = len(message.get("body") or message.get("text") or b"")
        if size <= LARGE_BYTES:
            await self._send(message)
            self.release()
            return
        release = self._unread.hold(size)
        try:
            is_last = ends_response(message)
            await self._send({**message, "more_body": True} if is_last else message)
        except BaseException:
            release()
            raise
        self.release()
        self._release = release
        if is_last:
            await self({"type": "http.response.body", "body": b""})

    def release(self) -> None:
        """Count the message before no more."""
        if self._release is not None:
            self._release()
            self._release = None


def ends_response(message: Message) -> bool:
    """Return whether a message is the end of a response's body."""
    is_body = message["type"] == "http.response.body"
    return is_body and not message.get("more_body", False)
