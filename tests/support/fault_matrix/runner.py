"""Runs a scenario under a fault and compares its end with the undisturbed one."""

import asyncio
import json
import time
import uuid
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import (
    AbstractAsyncContextManager,
    AsyncExitStack,
    asynccontextmanager,
)
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.support.api_proxy.proxy import Proxy, open_administrators_proxy
from tests.support.fault_matrix.end_state import State, find_differences, read_end_state
from tests.support.fault_matrix.invariants import Watcher, watching_invariants
from tests.support.fault_matrix.kubelets import simulated_kubelets
from tests.support.fault_matrix.matrix import Matrix, Run
from tests.support.fault_matrix.scenario import Scenario
from tests.support.run_folder import locked
from tests.support.running_operator import Running, World, open_world, running_operator
from tests.support.waiting import wait_until
from tools.cluster.apiserver import ApiAccess

RELIST_SECONDS = 3.0
"""How soon an operator of these scenarios lists again what it may have lost."""

CONVERGED_SECONDS = 120.0
"""When a run that does not converge is given up; no promise."""
STEP_SECONDS = 0.3
"""Between two steps under a fault: some of it is under way, some done."""
LOOK_SECONDS = 0.3
AT_ONCE = 3
"""Scenarios; each mostly waits."""


@dataclass(slots=True)
class Sandbox:
    """A namespace, the proxy before its API server, kubelets, and a watcher."""

    world: World
    proxy: Proxy
    watcher: Watcher

    async def wait_for_end(self, expected: State) -> list[str]:
        """Wait until all is as expected; return what is not after a long time."""
        clock = asyncio.get_running_loop().time
        deadline = clock() + CONVERGED_SECONDS
        while True:
            found = await self.read()
            differences = find_differences(expected, found)
            if not differences or clock() > deadline:
                return differences
            await asyncio.sleep(LOOK_SECONDS)  # between two looks at the state

    async def has_ended(self) -> bool:
        """Tell whether all hubs are Ready, and nothing is left of those that went."""
        found = (await self.read()).values()
        return all("status" in seen and is_at_rest(seen["status"]) for seen in found)

    async def read(self) -> State:
        """Return the present state of all hubs."""
        return await read_end_state(self.world)


@dataclass(frozen=True, slots=True)
class Fault:
    """What goes wrong while a scenario runs."""

    name: str
    inject: Callable[[Sandbox], AbstractAsyncContextManager[None]]
    """Lasts from the first step of the scenario to behind the last."""

    settings: Mapping[str, Any] = field(default_factory=dict)


@dataclass(slots=True)
class Runner:
    """Runs scenarios on an API server, and remembers how each ends undisturbed."""

    server: ApiAccess
    folder: Path
    shared: Path
    """The folder that all workers of the test run have in common."""

    matrix: Matrix
    _ends: dict[int, State] = field(default_factory=dict)

    @asynccontextmanager
    async def open_sandbox(self) -> AsyncIterator[Sandbox]:
        """Set up a new namespace."""
        namespace = f"sandbox-{uuid.uuid4().hex[:8]}"
        path = self.folder / f"{namespace}.yaml"
        pki = self.server.pki
        async with AsyncExitStack() as stack:
            admin = str(self.server.kubeconfig)
            world = await stack.enter_async_context(open_world(admin, namespace))
            opened = open_administrators_proxy(self.server.url, pki, path)
            proxy = await stack.enter_async_context(opened)
            world.kubeconfig = str(path)
            kubelets = await stack.enter_async_context(simulated_kubelets(world))
            watching = watching_invariants(world, kubelets)
            watcher = await stack.enter_async_context(watching)
            yield Sandbox(world, proxy, watcher)
        # aiohttp closes its sockets in the next turns of the loop.
        await asyncio.sleep(0)

    async def find_end(self, scenario: Scenario) -> State:
        """Return how the scenario ends when nothing goes wrong.

        The first worker that asks runs it; the others wait for the result.
        """
        if scenario.hubs not in self._ends:
            path = self.shared / f"end-of-{scenario.hubs}-hubs.json"
            with locked(path.with_suffix(".lock")):
                if not path.exists():
                    path.write_text(json.dumps(await self._run_undisturbed(scenario)))
                self._ends[scenario.hubs] = json.loads(path.read_text())
        return self._ends[scenario.hubs]

    async def _run_undisturbed(self, scenario: Scenario) -> State:
        async with (
            self.open_sandbox() as sandbox,
            running_operator(sandbox.world) as run,
        ):
            for step in scenario.steps:
                await step(sandbox.world)
                await rest(run)
            await wait_until(sandbox.has_ended)
            await rest(run)
            end = await sandbox.read()
            assert sandbox.watcher.violations == []
            self.matrix.notes.append(
                f"The scenario of {scenario.hubs} hubs with nothing wrong:"
                f" {sandbox.proxy.traffic.describe()}."
            )
            return end

    async def run_all(
        self, scenario: Scenario, faults: Sequence[Fault]
    ) -> dict[str, list[str]]:
        """Run a scenario under each fault; return what `run` does, by name."""
        await self.find_end(scenario)
        turn = asyncio.Semaphore(AT_ONCE)

        async def run_one(fault: Fault) -> list[str]:
            async with turn:
                return await self.run(scenario, fault)

        results = await asyncio.gather(*map(run_one, faults), return_exceptions=True)
        return {
            fault.name: [repr(end)] if isinstance(end, BaseException) else end
            for fault, end in zip(faults, results, strict=True)
        }

    async def run(self, scenario: Scenario, fault: Fault) -> list[str]:
        """Run a scenario under a fault; return all that is not as it should be."""
        expected = await self.find_end(scenario)
        began = time.monotonic()
        async with self.open_sandbox() as sandbox:
            settings = {"relist_seconds": RELIST_SECONDS, **fault.settings}
            async with running_operator(sandbox.world, **settings) as running:
                await _play(scenario, fault, sandbox)
                wrong = await sandbox.wait_for_end(expected)
                idle = await count_idle_writes(running)
            violations = sandbox.watcher.violations
        self.matrix.add(
            Run(
                fault.name,
                scenario.hubs,
                wrong=len({line.split(".")[1].split(":")[0] for line in wrong}),
                violations=len(violations),
                idle_writes=len(idle),
                seconds=time.monotonic() - began,
            )
        )
        return [*wrong, *violations, *(f"second pass: {write}" for write in idle)]


async def _play(scenario: Scenario, fault: Fault, sandbox: Sandbox) -> None:
    async with fault.inject(sandbox):
        for step in scenario.steps:
            await step(sandbox.world)
            await asyncio.sleep(STEP_SECONDS)  # part of the scenario


def is_at_rest(status: Mapping[str, Any]) -> bool:
    """Tell whether a hub is Ready and nothing is under way."""
    found = {c["type"]: c["status"] for c in status.get("conditions") or ()}
    return found.get("Ready") == "True" and found.get("Reconciling") == "False"


async def rest(running: Running) -> None:
    """Wait until pods are Ready and the operator has nothing to do."""
    await running.settle(pods_ready=True)


async def count_idle_writes(running: Running) -> list[str]:
    """Return what the operator writes when nothing is to be done."""
    await running.settle()
    running.requests.forget()
    running.operator.enqueue_all()
    await running.settle()
    return running.requests.writes
