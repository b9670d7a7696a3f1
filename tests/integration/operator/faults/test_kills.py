"""SIGKILL of the operator's process after its n-th write, for every n."""

import asyncio
import time
from itertools import count
from pathlib import Path

import pytest

from tests.support.api_proxy.request_info import RequestInfo
from tests.support.api_proxy.rules import Lost, never, nth
from tests.support.fault_matrix.end_state import State
from tests.support.fault_matrix.killable import killable_operator
from tests.support.fault_matrix.matrix import Matrix, Run
from tests.support.fault_matrix.runner import Runner, Sandbox
from tests.support.running_operator import running_operator

pytestmark = pytest.mark.timeout(900)

BEFORE = {
    "backends": [
        {
            "name": "postgres",
            "postgres": {
                "host": "postgres.data.svc",
                "database": "app",
                "credentialsSecretRef": {"name": "login"},
            },
        }
    ],
    "disruptionBudget": {},
    "replicas": 2,
}
AFTER = {
    "autoscaling": {"minReplicas": 1, "maxReplicas": 4},
    "networkPolicy": {"enabled": False},
    "service": {"type": "NodePort", "port": 9000},
    "limits": {"maxRows": 7},
}
BACK = {"replicas": 1, "disruptionBudget": {}}
SHORT = (3, 9)
OFTEN = {"relist_seconds": 1.0}
LIVES = {
    "in a hub's first pass": ({}, BEFORE),
    "while a hub changes": (BEFORE, AFTER),
    "while a hub gives its autoscaler up": (AFTER, BACK),
}


def counts(info: RequestInfo) -> bool:
    return info.is_write


async def begin(sandbox: Sandbox, spec: dict) -> None:
    """Bring a hub to where its operator is to die later."""
    await sandbox.world.create_secret("login", username="u", password="p")
    if spec:
        async with running_operator(sandbox.world) as running:
            await sandbox.world.apply_hub("hub", **spec)
            await sandbox.world.wait_condition("Reconciling", "False", name="hub")
            await running.settle()


async def find_end(runner: Runner, before: dict, after: dict) -> State:
    async with runner.open_sandbox() as sandbox:
        await begin(sandbox, before)
        async with running_operator(sandbox.world) as running:
            await sandbox.world.apply_hub("hub", **after)
            await sandbox.world.wait_condition("Reconciling", "False", name="hub")
            await running.settle(pods_ready=True)
            return await sandbox.read()


async def kill_after(sandbox: Sandbox, folder: Path, number: int, after: dict) -> bool:
    """Kill an operator after a write; return whether it came to that."""
    killed = asyncio.Event()
    world = sandbox.world
    log = folder / f"killed-{number}.log"
    async with killable_operator(
        world.kubeconfig, world.namespace, log, **OFTEN
    ) as operator:

        def kill() -> None:
            operator.process.kill()
            killed.set()

        sandbox.proxy.rule = nth(number, counts, Lost(kill))
        await world.apply_hub("hub", **after)
        settled = asyncio.create_task(
            world.wait_condition("Reconciling", "False", name="hub")
        )
        injected = asyncio.create_task(killed.wait())
        tasks = [settled, injected]
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        if not killed.is_set():
            # The status is not the last write: an Event follows.
            later = asyncio.create_task(operator.finish_passes())
            await asyncio.wait({injected, later}, return_when=asyncio.FIRST_COMPLETED)
            tasks.append(later)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    sandbox.proxy.rule = never
    return killed.is_set()


async def live_on(sandbox: Sandbox, folder: Path, expected: State) -> list[str]:
    """Start the next operator; return what it did not put right, or wrote idly."""
    world, log = sandbox.world, folder / "next.log"
    async with killable_operator(
        world.kubeconfig, world.namespace, log, **OFTEN
    ) as operator:
        wrong = await sandbox.wait_for_end(expected)
        await operator.finish_passes()
        sandbox.proxy.traffic.forget()
        await operator.finish_passes()
        idle = [f"second pass: {info}" for info in sandbox.proxy.traffic.writes]
    return [*wrong, *sandbox.watcher.violations, *idle]


@pytest.mark.parametrize("life", LIVES)
async def test_the_next_operator_ends_what_a_killed_one_began(
    runner: Runner, matrix: Matrix, tmp_path: Path, extent: str, life: str
):
    before, after = LIVES[life]
    expected = await find_end(runner, before, after)
    found: dict[int, list[str]] = {}
    for number in count(1) if extent == "full" else SHORT:
        began = time.monotonic()
        async with runner.open_sandbox() as sandbox:
            await begin(sandbox, before)
            injected = await kill_after(sandbox, tmp_path, number, after)
            if not injected:
                break
            found[number] = await live_on(sandbox, tmp_path, expected)
        seconds = time.monotonic() - began
        wrong = int(bool(found[number]))
        matrix.add(Run(f"SIGKILL {life}", 1, wrong=wrong, seconds=seconds))
    if extent == "full":
        matrix.notes.append(f"{life}: killed after each of {len(found)} writes.")
    assert {n: lines for n, lines in found.items() if lines} == {}
    assert found
