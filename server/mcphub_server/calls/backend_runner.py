"""How a tool's call to a backend is run: a place, the circuit, nothing longer.

Places are counted per replica. A call waits shortly for one and is then told when to
try again, because an answer within 45 s is worth more than a place in a queue: proxies
cut what stays silent.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import TypeVar

from mcphub_server.backends.base import Backend
from mcphub_server.backends.health import BackendMonitor
from mcphub_server.errors import LimitExceeded

PLACE_WAIT_SECONDS = 1.5

Result = TypeVar("Result")


class LimitedRunner:
    """Runs calls to backends within the hub's limits."""

    def __init__(
        self,
        monitors: Mapping[str, BackendMonitor],
        max_concurrent_calls: int,
        count_limited: Callable[[str], None],
    ) -> None:
        self._monitors = monitors
        self._places = asyncio.Semaphore(max_concurrent_calls)
        self._limit = max_concurrent_calls
        self._count_limited = count_limited

    async def __call__(
        self, backend: Backend, call: Callable[[], Awaitable[Result]]
    ) -> Result:
        """Run one call; see `BackendRunner`."""
        monitor = self._monitors[backend.name]
        monitor.breaker.check()
        await self._take_place()
        try:
            return await monitor.call(call)
        except LimitExceeded:
            self._count_limited("pool")
            raise
        finally:
            self._places.release()

    async def _take_place(self) -> None:
        try:
            async with asyncio.timeout(PLACE_WAIT_SECONDS):
                await self._places.acquire()
        except TimeoutError:
            self._count_limited("concurrency")
            raise LimitExceeded(
                f"The server runs {self._limit} calls already; try again shortly.",
                retry_after_seconds=1.0,
            ) from None
