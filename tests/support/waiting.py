"""Waiting for a condition, so that no test sleeps for a guess."""

import asyncio
import inspect
import time
from collections.abc import Awaitable, Callable, Iterator

FIRST_PAUSE_SECONDS = 0.02
LONGEST_PAUSE_SECONDS = 0.25
GROWTH = 1.3

GUARD_SECONDS = 100.0
"""Ends a test that waits in vain, with the name of what it waited for; no promise."""


def pauses() -> Iterator[float]:
    """Yield the seconds between two looks: longer and longer, since a look costs.

    What a test waits for comes soon, or when servers have the processors that many
    looks would take from them.
    """
    pause = FIRST_PAUSE_SECONDS
    while True:
        yield pause
        pause = min(pause * GROWTH, LONGEST_PAUSE_SECONDS)


async def wait_until(
    condition: Callable[[], Awaitable[bool] | bool],
    timeout_seconds: float = GUARD_SECONDS,
) -> None:
    """Return once the condition holds; raise AssertionError if it never does."""
    deadline = time.monotonic() + timeout_seconds
    for pause in pauses():
        holds = condition()
        if inspect.isawaitable(holds):
            holds = await holds
        if holds:
            return
        if time.monotonic() > deadline:
            break
        await asyncio.sleep(pause)
    raise AssertionError(
        f"not within {timeout_seconds:g} s: {inspect.getsource(condition)}"
    )
