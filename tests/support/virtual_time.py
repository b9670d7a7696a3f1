"""An event loop whose clock jumps ahead when nothing is left to do but to wait.

Timers of minutes take no time in it and never fire early because the machine is slow:
time passes only while every task waits. For code whose clock is the event loop's;
threads, processes and sockets live in real time and do not belong here.
"""

import asyncio
import selectors
from collections.abc import Awaitable, Callable
from functools import wraps
from typing import Any


class SkippingSelector(selectors.DefaultSelector):
    """Skips the time that it was asked to wait."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 0.0

    def select(self, timeout: float | None = None) -> list[Any]:
        """Return what is ready; where nothing is, let `timeout` pass at once."""
        ready = super().select(None if timeout is None else 0)
        if not ready and timeout:
            self.now += timeout
        return ready


class VirtualTimeLoop(asyncio.SelectorEventLoop):
    """An event loop with a clock of its own."""

    def __init__(self) -> None:
        self._skipping = SkippingSelector()
        super().__init__(self._skipping)

    def time(self) -> float:
        """Return the seconds that passed since the loop was made."""
        return self._skipping.now


def in_virtual_time(test: Callable[..., Awaitable[None]]) -> Callable[..., None]:
    """Run a test in a loop of virtual time."""

    @wraps(test)
    def run(*args: Any, **kwargs: Any) -> None:
        async def call() -> None:
            await test(*args, **kwargs)

        with asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:
            runner.run(call())

    return run


def now() -> float:
    """Return the running loop's time."""
    return asyncio.get_running_loop().time()
