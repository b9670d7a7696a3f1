"""Running guards so that one client's long statement delays no other client.

A guard is pure computation of up to a tenth of a second. Short texts are checked at
once; longer ones in one worker thread, where the interpreter lets the event loop run
every few milliseconds. There is one worker, so several long statements together take no
more of the processor than one.
"""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import ParamSpec, TypeVar

LONGEST_AT_ONCE = 1_000
"""In characters; such a text takes about 5 ms at most."""

Parameters = ParamSpec("Parameters")
Result = TypeVar("Result")


class GuardRunner:
    """Runs the guards of one hub."""

    def __init__(self) -> None:
        self._worker = ThreadPoolExecutor(1, thread_name_prefix="guard")

    async def check(
        self, guard: Callable[[str, int], Result], text: str, count: int
    ) -> Result:
        """Run a guard on a text; at once if the text is short."""
        if len(text) <= LONGEST_AT_ONCE:
            return guard(text, count)
        return await self.check_aside(guard, text, count)

    async def check_aside(
        self,
        guard: Callable[Parameters, Result],
        *args: Parameters.args,
        **kwargs: Parameters.kwargs,
    ) -> Result:
        """Run a guard in the worker; its state is used by no other thread then."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._worker, lambda: guard(*args, **kwargs))
