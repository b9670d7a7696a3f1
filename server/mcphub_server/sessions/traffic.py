"""What this replica is doing now: calls, requests, streams; and whether it drains.

A request over SSE is answered with 202 at once while its call goes on, so calls are
counted where tools run and requests where HTTP is served. Draining waits for both.
"""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager


class Traffic:
    """Counters of one replica, and the end of its work."""

    def __init__(self) -> None:
        self.calls = 0
        self.requests = 0
        self.streams = 0
        self.serving = False
        self.draining = False
        self._idle = asyncio.Event()
        self._idle.set()
        self._listeners: list[Callable[[], None]] = []

    def on_change(self, listener: Callable[[], None]) -> None:
        """Call a function whenever serving or draining changes."""
        self._listeners.append(listener)

    def begin_serving(self) -> None:
        """Both listeners are open."""
        self.serving = True
        self._tell()

    def begin_draining(self) -> None:
        """Nothing new should begin here."""
        self.draining = True
        self._tell()

    @contextmanager
    def call(self) -> Iterator[None]:
        """Count one running call."""
        self.calls += 1
        self._idle.clear()
        try:
            yield
        finally:
            self.calls -= 1
            self._settle()

    @contextmanager
    def request(self) -> Iterator[None]:
        """Count one HTTP request that will be answered."""
        self.requests += 1
        self._idle.clear()
        try:
            yield
        finally:
            self.requests -= 1
            self._settle()

    @contextmanager
    def stream(self) -> Iterator[None]:
        """Count one stream that lasts as long as its client likes."""
        self.streams += 1
        try:
            yield
        finally:
            self.streams -= 1

    async def wait_until_idle(self) -> None:
        """Return once no call runs and no request waits for its answer."""
        await self._idle.wait()

    def _settle(self) -> None:
        if self.calls == 0 and self.requests == 0:
            self._idle.set()

    def _tell(self) -> None:
        for listener in self._listeners:
            listener()
