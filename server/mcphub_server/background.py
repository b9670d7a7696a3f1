"""Work that goes on for as long as the process does.

Libraries cancel their callers at times, as drivers do whose pool closes. A task group
does not notice a task that ends so: what it followed would never be looked at again.
"""

import asyncio
from collections.abc import Awaitable, Callable

import structlog

AGAIN_SECONDS = 1.0

log = structlog.get_logger(__name__)


def end_if_cancelled() -> None:
    """Raise CancelledError if the task was cancelled, and not by a library in it.

    Also for a loop around PyMongo, which catches the CancelledError and keeps it.
    """
    task = asyncio.current_task()
    if task is not None and task.cancelling():
        raise asyncio.CancelledError


async def keep_going(work: Callable[[], Awaitable[None]], name: str) -> None:
    """Do work until it ends or is cancelled; begin again where a library cancelled it.

    Args:
        work: begins the work.
        name: names it in the log.
    """
    while True:
        try:
            await work()
        except asyncio.CancelledError:
            end_if_cancelled()
            log.exception("work cancelled by itself", work=name)
        else:
            return
        await asyncio.sleep(AGAIN_SECONDS)
