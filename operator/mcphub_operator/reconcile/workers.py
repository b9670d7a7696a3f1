"""The workers: each takes a hub from the queue, runs a pass, and says when next."""

import asyncio
import time
from collections.abc import Callable, Coroutine
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Any

import structlog

from mcphub_operator.client.concurrency import end_if_cancelled
from mcphub_operator.errors import ApiError, LeaseLost
from mcphub_operator.metrics import Metrics
from mcphub_operator.observed import HubKey
from mcphub_operator.reconcile.backoff import Backoff
from mcphub_operator.reconcile.queue import WorkQueue
from mcphub_operator.reconcile.reconciler import Reconciler, Result

log = structlog.get_logger(__name__)

Fail = Callable[[], None]


def observe_nothing(_key: HubKey) -> AbstractContextManager[Fail]:
    """Record no pass."""
    return nullcontext(lambda: None)


@dataclass(frozen=True, slots=True)
class WorkerPool:
    """Works through the queue until cancelled or the lease is lost."""

    queue: WorkQueue
    backoff: Backoff
    reconciler: Reconciler
    metrics: Metrics
    observe: Callable[[HubKey], AbstractContextManager[Fail]] = observe_nothing
    """Records a pass; what it returns marks the pass as failed."""

    async def run(self, workers: int) -> None:
        """Run this many passes at a time.

        Raises:
            LeaseLost: this replica may not write any more.
        """
        async with asyncio.TaskGroup() as group:
            for _ in range(workers):
                group.create_task(self._work())

    async def _work(self) -> None:
        while True:
            key = await self.queue.take()
            try:
                # Cancelled between passes only: a write in hand is finished.
                await finish(self._try(key))
            except asyncio.CancelledError:
                self._go_on(key)
            finally:
                self.queue.done(key)

    def _go_on(self, key: HubKey) -> None:
        """Take a pass that was cancelled for a failed one, unless the worker was."""
        end_if_cancelled()
        log.error("reconcile_cancelled", hub=str(key))
        self._plan_next(key, Result(failed=True))

    async def _try(self, key: HubKey) -> None:
        began = time.monotonic()
        with (
            structlog.contextvars.bound_contextvars(hub=str(key)),
            self.observe(key) as fail,
        ):
            try:
                result = await self.reconciler.reconcile(key)
            except LeaseLost:
                raise
            except ApiError as error:
                log.warning("reconcile_failed", error=error.message)
                wait = error.retry_after_seconds or 0.0
                result = Result(failed=True, retry_after_seconds=wait)
            except Exception:
                log.exception("reconcile_crashed")
                result = Result(failed=True)
            if result.failed:
                fail()
        self._plan_next(key, result)
        self.metrics.reconciled(time.monotonic() - began, failed=result.failed)

    def _plan_next(self, key: HubKey, result: Result) -> None:
        self.queue.cancel_later(key)
        if result.failed:
            entry = self.reconciler.sources.hubs.find(key)
            generation = entry.generation if entry else 0
            retry = self.backoff.next_delay(key, generation)
            self.queue.add_later(key, max(retry, result.retry_after_seconds))
        else:
            self.backoff.forget(key)
        if result.again_seconds is not None:
            self.queue.add_later(key, result.again_seconds)


async def finish(work: Coroutine[Any, Any, None]) -> None:
    """Await to the end even when cancelled meanwhile; then be cancelled."""
    task = asyncio.ensure_future(work)
    try:
        await asyncio.shield(task)
    except asyncio.CancelledError:
        if not task.done():
            await asyncio.wait([task])
        if not task.cancelled():
            task.exception()  # looked at, or asyncio reports it as forgotten
        raise
