"""Runs the clients, injects one fault after another, and records every call.

A run lasts from the moment before its fault is injected until the cluster has settled
and, for a while after that, nothing has failed. What brings the bench back for the
next fault is planned too and has a run of its own: each run begins where the one
before it ended, so no call is left out.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from benchmarks.faults.bench import Bench
from benchmarks.faults.faults import Fault
from benchmarks.faults.fleet import Kind, Programs, build_fleet
from benchmarks.faults.ledger import Ledger, Outcome
from benchmarks.faults.load import Load
from benchmarks.faults.node import running_worker
from benchmarks.faults.remote import RemotePrograms
from tests.support.node.clients import install_clients
from tools.quickstart.steps import StepFailedError

QUIET_SECONDS = 6.0
LONGEST_UNREST_SECONDS = 120.0
"""When a client that never recovers is given up."""

READY_SECONDS = 120.0
STEP_SECONDS = 0.1


@dataclass(frozen=True, slots=True)
class FaultRun:
    """A fault, and what became of the calls meanwhile.

    Attributes:
        problem: Why the cluster did not settle in time; empty where it did.
        seconds: How long the cluster took.
    """

    name: str
    problem: str
    seconds: float
    ledger: Ledger


@asynccontextmanager
async def running_load(
    bench: Bench, kinds: Sequence[Kind], folder: Path
) -> AsyncIterator[Load]:
    """Run all clients, from their first right answers on."""
    clients = install_clients()
    home = folder / "home"
    home.mkdir(parents=True)
    environment = {"HOME": str(home), "PATH": "/usr/bin:/bin", "NO_COLOR": "1"}
    async with AsyncExitStack() as stack:
        node = running_worker(clients, folder / "worker")
        worker = await stack.enter_async_context(node)
        remote = RemotePrograms(clients, folder, environment)
        addresses = await asyncio.to_thread(bench.addresses)
        members = build_fleet(kinds, addresses, Programs(worker, remote))
        (token,) = bench.tokens.values()
        load = Load(members, token)
        bench.clients = load
        group = await stack.enter_async_context(asyncio.TaskGroup())
        group.create_task(load.run())
        try:
            await wait_for(lambda: load.is_complete, READY_SECONDS)
            yield load
        finally:
            load.stop()


async def wait_for(holds: Callable[[], bool], seconds: float) -> None:
    """Return when something holds."""
    async with asyncio.timeout(seconds):
        while not holds():  # noqa: ASYNC110 -- many clients change it
            await asyncio.sleep(STEP_SECONDS)


async def run_faults(
    bench: Bench,
    load: Load,
    faults: Sequence[Fault],
    tell: Callable[[FaultRun], None],
) -> list[FaultRun]:
    """Do the faults in turn, telling of each; return what became of the calls."""
    runs: list[FaultRun] = []
    for fault in faults:
        steps = {fault.name: fault.inject, f"{fault.name}, undone": fault.restore}
        for name, step in steps.items():
            if step is not None:
                runs.append(await run_step(name, step, bench, load))
                tell(runs[-1])
    return runs


async def run_step(
    name: str, step: Callable[[Bench], None], bench: Bench, load: Load
) -> FaultRun:
    """Do something to the hubs, and wait until all is well."""
    started = time.monotonic()
    problem = await do(step, bench)
    over = time.monotonic()
    await wait_until_quiet(load, over)
    ledger = load.ledger.between(started, time.monotonic())
    return FaultRun(name, problem, over - started, ledger)


async def do(step: Callable[[Bench], None], bench: Bench) -> str:
    """Do something to the cluster; return why it did not get there, if so."""
    try:
        await asyncio.to_thread(step, bench)
    except StepFailedError as error:
        return str(error)
    return ""


async def wait_until_quiet(load: Load, over: float) -> None:
    """Wait until nothing has failed for a while and every client has been answered.

    No call that began before may still run, and each client must have begun and
    finished one since, however slow the machine is.
    """
    while True:
        now = time.monotonic()
        failed = [c.ended for c in load.ledger.calls if c.outcome is not Outcome.RIGHT]
        calm = now - max([over, *failed]) >= QUIET_SECONDS
        settled = not load.has_calls_since_before(over) and load.is_answered_since(over)
        if (calm and settled) or now - over > LONGEST_UNREST_SECONDS:
            return
        await asyncio.sleep(STEP_SECONDS)
