"""Waiting for a condition, so that no test sleeps for a guess."""

import asyncio
import inspect
import time
from collections.abc import Awaitable, Callable

STEP_SECONDS = 0.02


async def wait_until(
    condition: Callable[[], Awaitable[bool] | bool], timeout_seconds: float = 20.0
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
