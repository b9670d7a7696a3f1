"""Stands in for kubelets: every pod of a namespace becomes Ready, and ends."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from mcphub_operator import names
from mcphub_operator.client.kinds import POD
from mcphub_operator.errors import NotFound
from tests.support.running_operator import READY_POD, World

STEP_SECONDS = 0.25


@asynccontextmanager
async def simulated_kubelets(world: World) -> AsyncIterator[set[str]]:
    """Make pods Ready while the block lasts; yields the hubs that ever had one."""
    ever_ready: set[str] = set()
    task = asyncio.create_task(_play(world, ever_ready))
    try:
        yield ever_ready
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def _play(world: World, ever_ready: set[str]) -> None:
    while True:
        for pod in await world.list(POD, names.PODS_SELECTOR):
            metadata = pod["metadata"]
            if "deletionTimestamp" in metadata:
                await world.end_pod(metadata["name"])
            elif not pod["status"].get("conditions"):
                ever_ready.add(metadata["labels"][names.LABEL_INSTANCE])
                with suppress(NotFound):
                    await world.patch(POD, metadata["name"], READY_POD, "/status")
        await asyncio.sleep(STEP_SECONDS)
