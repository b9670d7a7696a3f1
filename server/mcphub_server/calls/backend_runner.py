"""Runs the calls of tools to their backends: a slot, then the circuit breaker.

Slots are counted per replica and shared between callers. A call waits briefly for one
and then fails with a retry hint, because a response within 45 s is worth more than a
place in a queue: proxies cut a silent response.
"""

import time
from collections.abc import Awaitable, Callable, Iterable
from typing import Protocol, TypeVar

from mcphub_server.backends.base import Backend
from mcphub_server.backends.health import BackendMonitor
from mcphub_server.calls.call_spans import describe_backend, note_failure
from mcphub_server.errors import LimitExceeded
from mcphub_server.spans import Kind, open_span
from mcphub_server.traffic.fair_slots import FairSlots
from mcphub_server.web.caller import Share, current_share

SLOT_WAIT_SECONDS = 1.5

Result = TypeVar("Result")


class RunnerMetrics(Protocol):
    """What is counted here."""

    def count_limited(self, limit: str) -> None: ...

    def observe_slot_wait(self, seconds: float) -> None: ...


class LimitedRunner:
    """Runs calls to backends within the hub's limits."""

    def __init__(
        self,
        monitors: Iterable[BackendMonitor],
        max_concurrent_calls: int,
        metrics: RunnerMetrics,
    ) -> None:
        self._monitors = {each.backend.name: each for each in monitors}
        self._spans = {
            name: describe_backend(each.backend)
            for name, each in self._monitors.items()
        }
        self._slots = FairSlots(max_concurrent_calls)
        self._limit = max_concurrent_calls
        self._metrics = metrics

    async def __call__(
        self, backend: Backend, call: Callable[[], Awaitable[Result]]
    ) -> Result:
        """Run one call; see `BackendRunner`."""
        monitor = self._monitors[backend.name]
        monitor.breaker.check()
        share = current_share()
        await self._take_slot(share)
        try:
            return await self._call(monitor, call)
        except LimitExceeded:
            self._metrics.count_limited("pool")
            raise
        finally:
            self._slots.release(share)

    async def _call(
        self, monitor: BackendMonitor, call: Callable[[], Awaitable[Result]]
    ) -> Result:
        name, attributes = self._spans[monitor.backend.name]
        with open_span(Kind.CLIENT, name, attributes) as span:
            try:
                return await monitor.call(call)
            except BaseException as error:
                note_failure(span, error)
                raise

    async def _take_slot(self, share: Share) -> None:
        began = time.perf_counter()
        try:
            with open_span(Kind.INTERNAL, "wait for a slot"):
                await self._slots.acquire(share, SLOT_WAIT_SECONDS)
        except TimeoutError:
            self._metrics.count_limited("concurrency")
            raise self._refuse(self._slots.count_held(share)) from None
        finally:
            self._metrics.observe_slot_wait(time.perf_counter() - began)

    def _refuse(self, held: int) -> LimitExceeded:
        whose = " for you" if 0 < held == self._limit - 1 else ""
        return LimitExceeded(
            f"The server runs {held if whose else self._limit} calls already{whose}; "
            "try again shortly.",
            retry_after_seconds=1.0,
        )
