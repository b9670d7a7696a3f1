"""Slots that callers share: each takes turns, and one is kept for who has none.

A plain semaphore serves calls in the order in which they came, so a caller with a
thousand calls, or with as many long statements as a pool has connections, lets every
other wait behind them. Here a free slot goes to the waiting caller that holds fewest,
and among those to the one that was served longest ago; and the last free slot goes
only to a caller that holds none. So one caller holds all slots but one at most, unless
there is only one.
"""

import asyncio
from collections import Counter, deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from mcphub_server.web.caller import Share

Waiter = asyncio.Future[None]


class FairSlots:
    """A number of slots, taken and given back by callers."""

    def __init__(self, count: int) -> None:
        self._free = count
        self._held: Counter[Share] = Counter()
        # in the order of turns
        self._queues: dict[Share, deque[Waiter]] = {}

    @property
    def waiting(self) -> int:
        """How many calls wait for a slot."""
        return sum(len(queue) for queue in self._queues.values())

    def count_held(self, key: Share) -> int:
        """Return how many slots a caller holds."""
        return self._held[key]

    @asynccontextmanager
    async def hold(self, key: Share, wait_seconds: float) -> AsyncIterator[None]:
        """Hold a slot in the block; raise TimeoutError if none comes free in time."""
        await self.acquire(key, wait_seconds)
        try:
            yield
        finally:
            self.release(key)

    async def acquire(self, key: Share, wait_seconds: float) -> None:
        """Take a slot; raise TimeoutError if none comes free in time."""
        if self.may_take(key):
            self._take(key)
            return
        async with asyncio.timeout(wait_seconds):
            await self._wait(key)

    def release(self, key: Share) -> None:
        """Give a slot back, to the next in turn."""
        self._free += 1
        self._held[key] -= 1
        if not self._held[key]:
            del self._held[key]
        if key in self._queues:  # the others first
            self._queues[key] = self._queues.pop(key)
        self._hand_out()

    def may_take(self, key: Share) -> bool:
        """Return whether a caller would get a slot at once."""
        return self._free > 1 or (self._free == 1 and not self._held[key])

    def _take(self, key: Share) -> None:
        self._free -= 1
        self._held[key] += 1

    async def _wait(self, key: Share) -> None:
        waiter: Waiter = asyncio.get_running_loop().create_future()
        self._queues.setdefault(key, deque()).append(waiter)
        try:
            await waiter
        except asyncio.CancelledError:
            if waiter.cancelled():
                self._forget(key, waiter)
            else:  # its turn came in the same moment
                self.release(key)
            raise

    def _forget(self, key: Share, waiter: Waiter) -> None:
        queue = self._queues.get(key, deque())
        with suppress(ValueError):  # a turn came after the caller had gone
            queue.remove(waiter)
        if not queue:
            self._queues.pop(key, None)

    def _hand_out(self) -> None:
        while self._free and (key := self._find_next()) is not None:
            waiter = self._pop(key)
            if not waiter.cancelled():
                self._take(key)
                waiter.set_result(None)

    def _find_next(self) -> Share | None:
        if not self._queues:
            return None
        key = min(self._queues, key=lambda each: self._held[each])
        return key if self.may_take(key) else None

    def _pop(self, key: Share) -> Waiter:
        """Return a caller's first waiter; the caller's next turn is behind others'."""
        queue = self._queues.pop(key)
        waiter = queue.popleft()
        if queue:
            self._queues[key] = queue
        return waiter
