"""Runs the clients, does one fault after another to the hubs, and keeps the account.

A fault's time goes from the moment before it is injected until the cluster has settled
and, for a while after that, nothing has failed. What brings the stage back for the
next fault is planned too, and has an account of its own: one time begins where the
other ends, and no call escapes.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from benchmarks.faults.account import Ledger, Outcome
from benchmarks.faults.faults import Fault
from benchmarks.faults.fleet import Kind, Programs, build_fleet
from benchmarks.faults.load import Load
from benchmarks.faults.node import running_worker
from benchmarks.faults.remote import RemotePrograms
from benchmarks.faults.stage import Stage
from tests.support.node.clients import install_clients
from tools.quickstart.steps import StepFailedError

QUIET_SECONDS = 6.0
LONGEST_UNREST_SECONDS = 60.0
READY_SECONDS = 120.0
STEP_SECONDS = 0.1


@dataclass(frozen=True, slots=True)
class Episode:
    """A fault, and what became of the calls meanwhile.

    Attributes:
        complaint: Why the cluster did not settle in time; empty where it did.
        seconds: How long the cluster took.
    """

    name: str
    complaint: str
    seconds: float
    ledger: Ledger


@asynccontextmanager
async def running_load(
    stage: Stage, kinds: Sequence[Kind], folder: Path
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
        addresses = await asyncio.to_thread(stage.addresses)
        members = build_fleet(kinds, addresses, Programs(worker, remote))
        (token,) = stage.tokens.values()
        load = Load(members, token)
        stage.clients = load
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
    stage: Stage, load: Load, faults: Sequence[Fault], tell: Callable[[Episode], None]
) -> list[Episode]:
    """Do the faults in turn, telling of each; return what became of the calls."""
    episodes: list[Episode] = []
    for fault in faults:
        steps = {fault.name: fault.inject, f"{fault.name}, undone": fault.restore}
        for name, step in steps.items():
            if step is not None:
                episodes.append(await run_step(name, step, stage, load))
                tell(episodes[-1])
    return episodes


async def run_step(
    name: str, step: Callable[[Stage], None], stage: Stage, load: Load
) -> Episode:
    """Do something to the hubs, and wait until all is well."""
    started = time.monotonic()
    complaint = await do(step, stage)
    over = time.monotonic()
    await wait_until_quiet(load, over)
    ledger = load.ledger.between(started, time.monotonic())
    return Episode(name, complaint, over - started, ledger)


async def do(step: Callable[[Stage], None], stage: Stage) -> str:
    """Do something to the cluster; return why it did not get there, if so."""
    try:
        await asyncio.to_thread(step, stage)
    except StepFailedError as error:
        return str(error)
    return ""


async def wait_until_quiet(load: Load, over: float) -> None:
    """Return when no call that began before has gone unanswered, and none failed."""
    while True:
        now = time.monotonic()
        failed = [c.ended for c in load.ledger.calls if c.outcome is not Outcome.RIGHT]
        calm = now - max([over, *failed]) >= QUIET_SECONDS
        settled = not load.has_calls_since_before(over)
        if (calm and settled) or now - over > LONGEST_UNREST_SECONDS:
            return
        await asyncio.sleep(STEP_SECONDS)
