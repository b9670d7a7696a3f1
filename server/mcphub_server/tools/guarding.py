"""Running guards so that one client's long statement delays no other client.

A guard is pure computation of up to a tenth of a second. Short texts are checked at
once; longer ones in one worker thread, where the interpreter lets the event loop run
every few milliseconds. There is one worker, so several long statements together take no
more of the processor than one; and each caller has one statement there at a time, so
that a caller who sends many delays only their own.
"""

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cached_property
from typing import ParamSpec, TypeVar
from weakref import WeakValueDictionary

from mcphub_server.errors import LimitExceeded
from mcphub_server.web.caller import current_principal

LONGEST_AT_ONCE = 1_000
"""In characters; such a text takes about 5 ms at most."""

STACK_BYTES = 16 * 1024 * 1024
"""PostgreSQL's parser recurses: 2 MiB, which a thread has where the process has no
limit for its stack, are too few for the deepest texts."""

TURN_SECONDS = 5.0
"""How long a statement waits for its caller's earlier ones."""

Parameters = ParamSpec("Parameters")
Result = TypeVar("Result")


class GuardRunner:
    """Runs the guards of one hub."""

    def __init__(self) -> None:
        self._turns: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    @cached_property
    def _worker(self) -> ThreadPoolExecutor:
        usual = threading.stack_size(STACK_BYTES)
        try:
            worker = ThreadPoolExecutor(1, thread_name_prefix="guard")
            worker.submit(int)  # starts the thread
        finally:
            threading.stack_size(usual)
        return worker

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
        """Run a guard in the worker; its state is used by no other thread then.

        Raises:
            LimitExceeded: The caller's earlier statements take too long.
        """
        turn = self._turns.setdefault(current_principal(), asyncio.Lock())
        try:
            async with asyncio.timeout(TURN_SECONDS):
                await turn.acquire()
        except TimeoutError:
            raise LimitExceeded(
                "Too many long statements of yours wait to be checked; try again "
                "shortly.",
                retry_after_seconds=1.0,
            ) from None
        try:
            loop = asyncio.get_running_loop()
            return await loop.run_in_executor(
                self._worker, lambda: guard(*args, **kwargs)
            )
        finally:
            turn.release()
