"""Operators as real processes that start at once and can be killed.

A server process has imported everything and forks for each of them; they inherit
neither threads nor the event loop of a test.
"""

import asyncio
import multiprocessing
import re
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

import aiohttp

from tests.support.running_operator import UNTIMED
from tests.support.waiting import wait_until
from tools.ports import reserve_port

PASSES = re.compile(r"^mcphub_operator_reconciles_total{.*} (.*)$", re.MULTILINE)
CONTEXT = multiprocessing.get_context("forkserver")
CONTEXT.set_forkserver_preload(["tests.support.fault_matrix.operator_main"])


@dataclass(frozen=True, slots=True)
class Killable:
    """An operator's process, and where it tells what it has done."""

    process: BaseProcess
    port: int

    async def finish_passes(self, count: int = 2) -> None:
        """Wait until so many passes have ended from now on.

        The first may have been under way: the second saw all that was there before.
        """
        wanted = await self._count_passes() + count

        async def are_done() -> bool:
            return await self._count_passes() >= wanted

        await wait_until(are_done)

    async def _count_passes(self) -> float:
        url = f"http://127.0.0.1:{self.port}/metrics"
        try:
            async with aiohttp.ClientSession() as session, session.get(url) as answer:
                return sum(map(float, PASSES.findall(await answer.text())))
        except aiohttp.ClientConnectionError:
            return 0  # it does not listen yet, or was killed


@asynccontextmanager
async def killable_operator(
    kubeconfig: str, namespace: str, log: Path, **settings: Any
) -> AsyncIterator[Killable]:
    """Run an operator as a process until the block ends, then kill it."""
    from tests.support.fault_matrix.operator_main import operate  # noqa: PLC0415 - see above

    port = reserve_port()
    chosen = {
        "kubeconfig": kubeconfig,
        "namespaces": (namespace,),
        "lease_namespace": namespace,
        "leader_election": False,
        "http_port": port,
        **UNTIMED,
        **settings,
    }
    process = CONTEXT.Process(target=operate, args=(chosen, str(log)), daemon=True)
    main = sys.modules["__main__"]
    file, spec = main.__dict__.pop("__file__", None), main.__spec__
    main.__spec__ = None
    try:
        # Without these the new process does not import the test runner again.
        process.start()
    finally:
        main.__spec__ = spec
        if file is not None:
            main.__file__ = file
    try:
        yield Killable(process, port)
    finally:
        process.kill()
        await asyncio.to_thread(process.join)
        process.close()


@asynccontextmanager
async def restarted_operator(
    kubeconfig: str, namespace: str, log: Path, **settings: Any
) -> AsyncIterator[None]:
    """Run an operator until the block ends, and again when it exits, as kubelets do.

    One that loses its Lease because the API server is slow exits for a restart.
    """

    async def run() -> None:
        while True:
            async with killable_operator(
                kubeconfig, namespace, log, **settings
            ) as running:
                while running.process.exitcode is None:  # noqa: ASYNC110 -- a process
                    await asyncio.sleep(0.05)

    running = asyncio.create_task(run())
    try:
        yield
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
