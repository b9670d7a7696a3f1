"""D23: the definition is deleted and comes back under a running operator."""

import asyncio
from pathlib import Path

from mcphub_operator.client.kinds import CONFIG_MAP, DEPLOYMENT
from tests.support.definition import install_definition
from tests.support.operator_process import operator_process
from tests.support.running_operator import World, open_world
from tests.support.waiting import wait_until
from tools.cluster.apiserver import ApiServer

RESUMED_SECONDS = 60.0


async def has(world: World, name: str) -> bool:
    return await world.find(DEPLOYMENT, name) is not None


async def test_d23_hubs_are_served_again(own_server: ApiServer, tmp_path: Path):
    kubeconfig = str(own_server.kubeconfig)
    async with (
        open_world(kubeconfig, "team") as world,
        operator_process(world, tmp_path, "only") as operator,
    ):
        await wait_until(lambda: operator.has_logged("synced"))
        await world.apply_hub("before")
        await wait_until(lambda: has(world, "before"))

        await asyncio.to_thread(
            own_server.run_kubectl, "delete", "crd", "mcphubs.mcp.bigtorig.com"
        )

        async def is_told() -> bool:
            status, said = await operator.get("/readyz")
            return status == 503 and "the cluster has no mcphubs" in said

        await wait_until(is_told, RESUMED_SECONDS)

        await asyncio.to_thread(install_definition, own_server)
        await world.apply_hub("after")

        async def is_served() -> bool:
            status, _ = await operator.get("/readyz")
            return status == 200 and await has(world, "after")

        await wait_until(is_served, RESUMED_SECONDS)
        assert operator.process.returncode is None
        await world.wait_condition("Stalled", "False", name="after")

        await world.delete(CONFIG_MAP, "after")

        async def is_back() -> bool:
            return await world.find(CONFIG_MAP, "after") is not None

        await wait_until(is_back)
