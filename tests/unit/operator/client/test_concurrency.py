"""Which CancelledError is a library's own."""

import asyncio

import pytest

from mcphub_operator.client.concurrency import end_if_cancelled


async def test_a_task_that_is_not_cancelled_goes_on():
    end_if_cancelled()


async def test_a_task_that_is_cancelled_ends():
    async def hold_out() -> None:
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            end_if_cancelled()

    task = asyncio.create_task(hold_out())
    await asyncio.sleep(0)

    task.cancel()

    with pytest.raises(asyncio.CancelledError):
        await task
