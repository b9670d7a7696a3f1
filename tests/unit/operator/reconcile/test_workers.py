"""A pass that is under way when the operator ends."""

import asyncio
import gc
from types import SimpleNamespace
from typing import Any

import pytest

from mcphub_operator.errors import LeaseLost, Throttled
from mcphub_operator.metrics import Metrics
from mcphub_operator.reconcile.backoff import LONGEST_SECONDS, Backoff
from mcphub_operator.reconcile.queue import WorkQueue
from mcphub_operator.reconcile.reconciler import Result
from mcphub_operator.reconcile.workers import WorkerPool, finish
from tests.support.observed import KEY
from tests.support.virtual_time import in_virtual_time, now


async def test_is_finished_before_its_worker_ends():
    done = asyncio.Event()
    working = asyncio.create_task(finish(_write(done)))
    await asyncio.sleep(0)

    working.cancel()

    with pytest.raises(asyncio.CancelledError):
        await working
    assert done.is_set()


async def test_that_loses_the_lease_then_is_no_unexpected_error():
    """The end is told once, by who ends; not by asyncio with a stack trace."""
    told: list[dict[str, Any]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, what: told.append(what))
    working = asyncio.create_task(finish(_lose_lease()))
    await asyncio.sleep(0)

    working.cancel()
    await asyncio.wait([working])
    del working
    gc.collect()

    assert told == []


async def _write(done: asyncio.Event) -> None:
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    done.set()


async def _lose_lease() -> None:
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    raise LeaseLost("the lease is not ours any more; nothing was written")


class Hub:
    generation = 1


class Reconciler:
    """Ends every pass alike, and remembers when there was one."""

    def __init__(self, end: Result | BaseException) -> None:
        self.sources = SimpleNamespace(hubs=SimpleNamespace(find=lambda _: Hub()))
        self.passes: list[float] = []
        self._end = end

    async def reconcile(self, _key: Any) -> Result:
        self.passes.append(now())
        if isinstance(self._end, BaseException):
            raise self._end
        return self._end


async def work(end: Result | BaseException, seconds: float) -> list[float]:
    """Return when there were passes over a hub that always ends so."""
    queue, reconciler = WorkQueue(now), Reconciler(end)
    backoff = Backoff(lambda: 1.0)
    any_reconciler: Any = reconciler
    pool = WorkerPool(queue, backoff, any_reconciler, Metrics())
    working = asyncio.create_task(pool.run(1))
    queue.add(KEY)
    await asyncio.sleep(seconds)
    working.cancel()
    return reconciler.passes


@in_virtual_time
async def test_what_failed_is_not_put_off_until_a_later_look():
    passes = await work(Result(failed=True, again_seconds=181.0), 10)

    assert passes == [0, 0.5, 1.5, 3.5, 7.5]


@in_virtual_time
async def test_a_look_that_is_due_before_the_next_try_is_in_time():
    passes = await work(Result(failed=True, again_seconds=5.0), 40)

    assert passes[-1] - passes[-2] == 5.0


@in_virtual_time
async def test_the_api_servers_wish_for_a_pause_is_heeded():
    busy = Throttled(429, "TooManyRequests", "busy", retry_after_seconds=90.0)

    passes = await work(busy, 200)

    assert passes == [0, 90, 180]
    assert LONGEST_SECONDS < 90


@in_virtual_time
async def test_a_pass_that_is_cancelled_by_itself_ends_no_worker():
    passes = await work(asyncio.CancelledError(), 10)

    assert passes == [0, 0.5, 1.5, 3.5, 7.5]
