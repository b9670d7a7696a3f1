"""A pass that is under way when the operator ends."""

import asyncio
import gc
from typing import Any

import pytest

from mcphub_operator.errors import LeaseLost
from mcphub_operator.reconcile.workers import finish


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
