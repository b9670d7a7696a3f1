"""Waiting for a condition, so that no test sleeps for a guess."""

import asyncio
import inspect
import time
from collections.abc import Awaitable, Callable

STEP_SECONDS = 0.02

GUARD_SECONDS = 100.0
"""Ends a test that waits in vain, with the name of what it waited for; no promise."""


async def wait_until(
    condition: Callable[[], Awaitable[bool] | bool],
    timeout_seconds: float = GUARD_SECONDS,
) -> None:
    """Return once the condition holds; raise AssertionError if it never does."""
    deadline = time.monotonic() + timeout_seconds
    while time.monotonic() < deadline:
        holds = condition()
        if inspect.isawaitable(holds):
            holds = await holds
        if holds:
            return
        await asyncio.sleep(STEP_SECONDS)
    raise AssertionError(
        f"not within {timeout_seconds:g} s: {inspect.getsource(condition)}"
    )
