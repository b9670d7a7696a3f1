"""Telling a story under a fault, and comparing its end with the undisturbed one."""

import asyncio
import time
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
from tests.support.fault_matrix.kubelets import playing_kubelets
from tests.support.fault_matrix.matrix import Matrix, Run
from tests.support.fault_matrix.story import Story
from tests.support.fault_matrix.truths import Witness, watching_truths
from tests.support.running_operator import Running, World, open_world, running_operator
from tests.support.waiting import wait_until
from tools.cluster.apiserver import ApiServer

RELIST_SECONDS = 3.0
"""How soon an operator of these stories lists anew what it may have lost."""

CONVERGED_SECONDS = 45.0
STEP_SECONDS = 0.5
LOOK_SECONDS = 0.3
AT_ONCE = 3
"""Stories; each mostly waits."""
ORPHANS_SECONDS = 60.0
"""A new definition is known to the garbage collector after half a minute."""


@dataclass(slots=True)
class Stage:
    """A namespace, the proxy before its API server, kubelets, and a witness."""

    world: World
    proxy: Proxy
    witness: Witness

    async def wait_for_end(self, expected: State) -> list[str]:
        """Wait until all is as expected; return what is not after a long time."""
        clock = asyncio.get_running_loop().time
        deadline = clock() + CONVERGED_SECONDS
        while True:
            found = await self.read()
            differences = find_differences(expected, found)
            if not differences or clock() > deadline:
                return differences
            await asyncio.sleep(LOOK_SECONDS)

    async def has_ended(self) -> bool:
        """Tell whether all hubs are Ready, and nothing is left of those that went."""
        found = (await self.read()).values()
        return all("status" in seen and is_at_rest(seen["status"]) for seen in found)

    async def read(self) -> State:
        """Return the present state of all hubs."""
        return await read_end_state(self.world)


@dataclass(frozen=True, slots=True)
class Fault:
    """What goes wrong while a story is told."""

    name: str
    strike: Callable[[Stage], AbstractAsyncContextManager[None]]
    """Lasts from the first step of the story to behind the last."""

    settings: Mapping[str, Any] = field(default_factory=dict)


@dataclass(slots=True)
class Theater:
    """Where stories are told: an API server, and the ends that are known."""

    server: ApiServer
    folder: Path
    matrix: Matrix
    _ends: dict[int, State] = field(default_factory=dict)
    _count: int = 0

    @asynccontextmanager
    async def open_stage(self) -> AsyncIterator[Stage]:
        """Set up a new namespace."""
        self._count += 1
        namespace = f"stage-{self._count}-{time.time_ns() % 10**6}"
        path = self.folder / f"{namespace}.yaml"
        pki = self.server.kubeconfig.parents[1] / "pki"
        async with AsyncExitStack() as stack:
            admin = str(self.server.kubeconfig)
            world = await stack.enter_async_context(open_world(admin, namespace))
            opened = open_administrators_proxy(self.server.url, pki, path)
            proxy = await stack.enter_async_context(opened)
            world.kubeconfig = str(path)
            kubelets = await stack.enter_async_context(playing_kubelets(world))
            watching = watching_truths(world, kubelets)
            witness = await stack.enter_async_context(watching)
            yield Stage(world, proxy, witness)
        # aiohttp closes its sockets in the next turns of the loop.
        await asyncio.sleep(0)

    async def find_end(self, story: Story) -> State:
        """Return how the story ends when nothing goes wrong."""
        if story.hubs not in self._ends:
            async with self.open_stage() as stage, running_operator(stage.world) as run:
                for step in story.steps:
                    await step(stage.world)
                    await rest(run)
                await wait_until(stage.has_ended, ORPHANS_SECONDS)
                await rest(run)
                self._ends[story.hubs] = await stage.read()
                assert stage.witness.lies == []
                self.matrix.notes.append(
                    f"The story of {story.hubs} hubs with nothing wrong:"
                    f" {stage.proxy.traffic.describe()}."
                )
        return self._ends[story.hubs]

    async def tell_all(
        self, story: Story, faults: Sequence[Fault]
    ) -> dict[str, list[str]]:
        """Tell a story under each of these faults; return what `tell` does, by name."""
        await self.find_end(story)
        turn = asyncio.Semaphore(AT_ONCE)

        async def tell(fault: Fault) -> list[str]:
            async with turn:
                return await self.tell(story, fault)

        told = await asyncio.gather(*map(tell, faults), return_exceptions=True)
        return {
            fault.name: [repr(end)] if isinstance(end, BaseException) else end
            for fault, end in zip(faults, told, strict=True)
        }

    async def tell(self, story: Story, fault: Fault) -> list[str]:
        """Tell a story under a fault; return all that is not as it should be."""
        expected = await self.find_end(story)
        began = time.monotonic()
        async with self.open_stage() as stage:
            settings = {"relist_seconds": RELIST_SECONDS, **fault.settings}
            async with running_operator(stage.world, **settings) as running:
                await _play(story, fault, stage)
                wrong = await stage.wait_for_end(expected)
                idle = await count_idle_writes(running)
            lies = stage.witness.lies
        self.matrix.add(
            Run(
                fault.name,
                story.hubs,
                wrong=len({line.split(".")[1].split(":")[0] for line in wrong}),
                lies=len(lies),
                idle_writes=len(idle),
                seconds=time.monotonic() - began,
            )
        )
        return [*wrong, *lies, *(f"second pass: {write}" for write in idle)]


async def _play(story: Story, fault: Fault, stage: Stage) -> None:
    async with fault.strike(stage):
        for step in story.steps:
            await step(stage.world)
            await asyncio.sleep(STEP_SECONDS)


def is_at_rest(status: Mapping[str, Any]) -> bool:
    """Tell whether a hub is Ready and nothing is under way."""
    found = {c["type"]: c["status"] for c in status.get("conditions") or ()}
    return found.get("Ready") == "True" and found.get("Reconciling") == "False"


async def rest(running: Running) -> None:
    """Wait until the operator has nothing to do, and pods have become Ready."""
    await running.settle()
    # A pod becomes Ready a moment later, which is work again.
    await asyncio.sleep(STEP_SECONDS)
    await running.settle()


async def count_idle_writes(running: Running) -> list[str]:
    """Return what the operator writes when nothing is to be done."""
    await running.settle()
    running.requests.forget()
    running.operator.wake_all()
    await running.settle()
    return running.requests.writes
