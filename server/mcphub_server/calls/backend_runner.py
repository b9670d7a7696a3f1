"""Runs the calls of tools to their backends: a slot, then the circuit breaker.

Slots are counted per replica. A call waits briefly for one and then fails with a retry
hint, because a response within 45 s is worth more than a place in a queue: proxies cut
a silent response.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from typing import TypeVar

from mcphub_server.backends.base import Backend
from mcphub_server.backends.health import BackendMonitor
from mcphub_server.errors import LimitExceeded

SLOT_WAIT_SECONDS = 1.5

Result = TypeVar("Result")


class LimitedRunner:
    """Runs calls to backends within the hub's limits."""

    def __init__(
        self,
        monitors: Iterable[BackendMonitor],
        max_concurrent_calls: int,
        count_limited: Callable[[str], None],
    ) -> None:
        self._monitors = {each.backend.name: each for each in monitors}
        self._slots = asyncio.Semaphore(max_concurrent_calls)
        self._limit = max_concurrent_calls
        self._count_limited = count_limited

    async def __call__(
        self, backend: Backend, call: Callable[[], Awaitable[Result]]
    ) -> Result:
        """Run one call; see `BackendRunner`."""
        monitor = self._monitors[backend.name]
        monitor.breaker.check()
        await self._take_slot()
        try:
            return await monitor.call(call)
        except LimitExceeded:
            self._count_limited("pool")
            raise
        finally:
            self._slots.release()

    async def _take_slot(self) -> None:
        try:
            async with asyncio.timeout(SLOT_WAIT_SECONDS):
                await self._slots.acquire()
        except TimeoutError:
            self._count_limited("concurrency")
            raise LimitExceeded(
                f"The server runs {self._limit} calls already; try again shortly.",
                retry_after_seconds=1.0,
            ) from None
