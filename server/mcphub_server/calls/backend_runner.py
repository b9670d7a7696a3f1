"""Runs the calls of tools to their backends: a slot, then the circuit breaker.

Slots are counted per replica and shared between callers. A call waits briefly for one
and then fails with a retry hint, because a response within 45 s is worth more than a
place in a queue: proxies cut a silent response.
"""

from collections.abc import Awaitable, Callable, Iterable
from typing import TypeVar

from mcphub_server.backends.base import Backend
from mcphub_server.backends.health import BackendMonitor
from mcphub_server.errors import LimitExceeded
from mcphub_server.traffic.fair_slots import FairSlots
from mcphub_server.web.caller import Share, current_share

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
        self._slots = FairSlots(max_concurrent_calls)
        self._limit = max_concurrent_calls
        self._count_limited = count_limited

    async def __call__(
        self, backend: Backend, call: Callable[[], Awaitable[Result]]
    ) -> Result:
        """Run one call; see `BackendRunner`."""
        monitor = self._monitors[backend.name]
        monitor.breaker.check()
        share = current_share()
        await self._take_slot(share)
        try:
            return await monitor.call(call)
        except LimitExceeded:
            self._count_limited("pool")
            raise
        finally:
            self._slots.release(share)

    async def _take_slot(self, share: Share) -> None:
        try:
            await self._slots.acquire(share, SLOT_WAIT_SECONDS)
        except TimeoutError:
            self._count_limited("concurrency")
            raise self._refuse(self._slots.count_held(share)) from None

    def _refuse(self, held: int) -> LimitExceeded:
        whose = " for you" if 0 < held == self._limit - 1 else ""
        return LimitExceeded(
            f"The server runs {held if whose else self._limit} calls already{whose}; "
            "try again shortly.",
            retry_after_seconds=1.0,
        )
