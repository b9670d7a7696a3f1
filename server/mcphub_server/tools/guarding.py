"""Running guards so that one client's long statement delays no other client.

A guard is pure computation of up to a tenth of a second. Short texts are checked at
once; longer ones in one worker thread, where the interpreter lets the event loop run
every few milliseconds. There is one worker, so several long statements together take no
more of the processor than one; and each caller has one statement there at a time, so
that a caller who sends many delays only their own. What either costs of the processor
is charged to the caller.
"""

import asyncio
import threading
from collections.abc import Callable, Hashable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from contextvars import copy_context
from functools import cached_property
from typing import Any, ParamSpec, TypeVar
from weakref import WeakValueDictionary

from mcphub_server.errors import LimitExceeded
from mcphub_server.recent import RecentMap
from mcphub_server.tools.cpu_clock import start_cpu_clock
from mcphub_server.web.caller import Share, current_share

LONGEST_AT_ONCE = 200
"""In characters. The costliest that were found, sums of ones and of letters outside
ASCII, take some 20 µs each: 4 ms."""

STACK_BYTES = 16 * 1024 * 1024
"""PostgreSQL's parser recurses: 2 MiB, which a thread has where the process has no
limit for its stack, are too few for the deepest texts."""

TURN_SECONDS = 5.0
"""How long a statement waits for its caller's earlier ones."""

Parameters = ParamSpec("Parameters")
Result = TypeVar("Result")


TEXTS_KEPT = 128
"""Of at most 16 kB each. Pages of one result, and agents, send the same statement
again and again, and to parse it costs more than to fetch a hundred rows."""


class GuardRunner:
    """Runs the guards of one hub."""

    def __init__(self, charge: Callable[[float], None] = lambda _: None) -> None:
        self._charge = charge
        self._checked = RecentMap[Hashable, Any](TEXTS_KEPT)
        # only the event loop uses it
        self._turns: WeakValueDictionary[Share, asyncio.Lock] = WeakValueDictionary()

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
        """Run a guard on a text; at once if the text is short.

        A guard decides by its arguments alone, so what it let through lately it lets
        through again.
        """
        key = (guard, text, count)
        result: Result | None = self._checked.find(key)
        if result is not None:
            return result
        if len(text) <= LONGEST_AT_ONCE:
            with self.charging():
                result = guard(text, count)
        else:
            result = await self.check_aside(guard, text, count)
        self._checked.keep(key, result)
        return result

    async def check_known_aside(
        self, guard: Callable[[str], Result], text: str
    ) -> Result:
        """Run a guard on a text in the worker, unless it was let through lately."""
        key = (guard, text)
        result: Result | None = self._checked.find(key)
        if result is None:
            result = await self.check_aside(guard, text)
            self._checked.keep(key, result)
        return result

    @contextmanager
    def charging(self) -> Iterator[None]:
        """Charge the caller for what the block costs of the processor."""
        read_clock = start_cpu_clock()
        try:
            yield
        finally:
            self._charge(read_clock())

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
        turn = self._turns.setdefault(current_share(), asyncio.Lock())
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
            return await self._run_aside(lambda: guard(*args, **kwargs))
        finally:
            turn.release()

    async def _run_aside(self, guard: Callable[[], Result]) -> Result:
        loop, caller = asyncio.get_running_loop(), copy_context()

        def run() -> Result:
            read_clock = start_cpu_clock()
            try:
                return guard()
            finally:  # also when the caller has gone meanwhile
                spent = read_clock()
                loop.call_soon_threadsafe(self._charge, spent, context=caller)

        return await loop.run_in_executor(self._worker, run)
