"""The work queue: each hub at most once waiting, and never twice at work.

A hub that changes while it is being worked on is queued again when that is done: the
newer state is what counts, so any number of changes meanwhile are one more pass.
"""

import asyncio
from collections import deque
from collections.abc import Callable

from mcphub_operator.observed import HubKey


class WorkQueue:
    """Hubs that need a pass, in the order in which they first asked."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._order: deque[HubKey] = deque()
        self._since: dict[HubKey, float] = {}
        self._working: set[HubKey] = set()
        self._timers: dict[HubKey, tuple[float, asyncio.TimerHandle]] = {}
        self._filled = asyncio.Event()

    def __len__(self) -> int:
        return len(self._since)

    @property
    def oldest_seconds(self) -> float:
        """Return for how long the first in the queue has been waiting."""
        if not self._since:
            return 0.0
        return self._clock() - next(iter(self._since.values()))

    def add(self, key: HubKey) -> None:
        """Ask for a pass."""
        if key not in self._since:
            self._since[key] = self._clock()
            if key not in self._working:
                self._put(key)

    def add_later(self, key: HubKey, delay_seconds: float) -> None:
        """Ask for a pass later; of several such requests the earliest counts."""
        due = self._clock() + delay_seconds
        planned = self._timers.get(key)
        if planned is not None:
            if planned[0] <= due:
                return
            planned[1].cancel()
        loop = asyncio.get_running_loop()
        self._timers[key] = (due, loop.call_later(delay_seconds, self._ring, key))

    def cancel_later(self, key: HubKey) -> None:
        """Take back a request for later."""
        planned = self._timers.pop(key, None)
        if planned is not None:
            planned[1].cancel()

    async def take(self) -> HubKey:
        """Wait for a hub that needs a pass, and begin with it."""
        while not self._order:
            self._filled.clear()
            await self._filled.wait()
        key = self._order.popleft()
        del self._since[key]
        self._working.add(key)
        return key

    def done(self, key: HubKey) -> None:
        """End a pass; the hub may be taken again."""
        self._working.discard(key)
        if key in self._since:
            self._put(key)

    def _put(self, key: HubKey) -> None:
        self._order.append(key)
        self._filled.set()

    def _ring(self, key: HubKey) -> None:
        self._timers.pop(key, None)
        self.add(key)
