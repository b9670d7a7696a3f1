"""Work that a library cancels goes on; work that is cancelled ends."""

import asyncio
from types import SimpleNamespace
from typing import Any

import pytest
from structlog.testing import capture_logs

from mcphub_server.background import keep_going
from mcphub_server.lifespan import list_work
from tests.support.virtual_time import in_virtual_time


class Work:
    """Is cancelled by itself a few times, then goes on without end."""

    def __init__(self, cancelled: int) -> None:
        self.begun = 0
        self._cancelled = cancelled

    async def __call__(self, *_: Any) -> None:
        self.begun += 1
        if self.begun <= self._cancelled:
            raise asyncio.CancelledError
        await asyncio.Event().wait()


@in_virtual_time
async def test_work_that_was_cancelled_by_itself_begins_again() -> None:
    work = Work(cancelled=2)
    with capture_logs() as logs:
        task = asyncio.create_task(keep_going(work, "certificate"))
        await asyncio.sleep(60)  # in virtual time

    assert work.begun == 3
    assert [each["work"] for each in logs] == ["certificate"] * 2
    assert not task.done()


async def test_work_that_is_cancelled_ends() -> None:
    task = asyncio.create_task(keep_going(Work(cancelled=0), "certificate"))
    await asyncio.sleep(0)

    task.cancel()

    with pytest.raises(asyncio.CancelledError):
        await task


async def test_work_that_is_done_is_not_begun_again() -> None:
    begun: list[None] = []

    async def work() -> None:
        begun.append(None)

    await keep_going(work, "authentication")

    assert begun == [None]


def test_all_that_a_hub_follows_is_listed() -> None:
    follow = SimpleNamespace(follow=None, watch=None)
    monitor = SimpleNamespace(backend=SimpleNamespace(name="shop"), watch=print)
    hub: Any = SimpleNamespace(
        runtime=SimpleNamespace(probe_interval_seconds=10),
        monitors=[monitor],
        auth=SimpleNamespace(follow=print),
        state=SimpleNamespace(notify=print),
        live=follow,
        certificate=follow,
    )

    names = [name for name, _ in list_work(hub)]

    assert names == [
        "probes of shop",
        "authentication",
        "live configuration",
        "certificate",
    ]
