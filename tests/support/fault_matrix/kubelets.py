"""Stands in for kubelets: every pod of a namespace becomes Ready, and ends."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from mcphub_operator import names
from mcphub_operator.cache.reflector import Reflector, Scope
from mcphub_operator.client.api import Found, Object
from mcphub_operator.client.kinds import POD
from mcphub_operator.errors import NotFound
from tests.support.running_operator import READY_POD, World

NEVER_SECONDS = 3600.0


class Kubelets:
    """Does what kubelets would, as soon as a watch reports a pod."""

    def __init__(self, world: World) -> None:
        self.ever_ready: set[str] = set()
        """The hubs that ever had a Ready pod."""
        self._world = world
        self._seen: asyncio.Queue[Object] = asyncio.Queue()

    def upsert(self, item: Object) -> None:
        """Note a pod's present state."""
        self._seen.put_nowait(item)

    def remove(self, _item: Object) -> None:
        """A pod that is gone needs nothing."""

    def replace(self, _namespace: str | None, _found: Found) -> None:
        """Lists bring nothing but states."""

    async def run(self) -> None:
        """Serve pods until cancelled."""
        while True:
            await self._serve(await self._seen.get())

    async def _serve(self, pod: Object) -> None:
        metadata = pod["metadata"]
        if "deletionTimestamp" in metadata:
            await self._world.end_pod(metadata["name"])
        elif not pod["status"].get("conditions"):
            self.ever_ready.add(metadata["labels"][names.LABEL_INSTANCE])
            with suppress(NotFound):
                await self._world.patch(POD, metadata["name"], READY_POD, "/status")


@asynccontextmanager
async def simulated_kubelets(world: World) -> AsyncIterator[set[str]]:
    """Make pods Ready while the block lasts; yields the hubs that ever had one."""
    kubelets = Kubelets(world)
    scope = Scope(POD, world.namespace, names.PODS_SELECTOR)
    reflector = Reflector(world.api, scope, kubelets, NEVER_SECONDS)
    tasks = [asyncio.create_task(part.run()) for part in (reflector, kubelets)]
    try:
        await reflector.synced.wait()
        yield kubelets.ever_ready
    finally:
        for task in tasks:
            task.cancel()
        for task in tasks:
            with suppress(asyncio.CancelledError):
                await task
