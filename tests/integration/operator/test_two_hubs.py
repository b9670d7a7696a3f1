"""Two hubs that want each other's port, read one Secret, or are scaled by others."""

import pytest

from mcphub_operator.client.kinds import AUTOSCALER, HUB, SECRET, SERVICE
from tests.support.hub_manifests import autoscaler
from tests.support.running_operator import World, running_operator
from tests.support.waiting import wait_until

FIRST, SECOND = "first", "second"
AUTH = f"{FIRST}-auth"


async def find_port(world: World, name: str) -> int:
    service = await world.get(SERVICE, name)
    return int(service["spec"]["ports"][0].get("nodePort", 0))


async def ask_for(world: World, name: str, port: int) -> None:
    await world.apply_hub(name, service={"type": "NodePort", "nodePort": port})


class TestD7HubsThatExchangeTheirNodePorts:
    @pytest.mark.parametrize("names", [(FIRST, SECOND), (FIRST, SECOND, "third")])
    async def test_have_them_without_help(self, world: World, names: tuple[str, ...]):
        async with running_operator(world):
            for name in names:
                await world.apply_hub(name, service={"type": "NodePort"})
            for name in names:
                await world.wait_condition("Stalled", "False", name=name)
            ports = [await find_port(world, name) for name in names]

            wished = dict(zip(names, [*ports[1:], ports[0]], strict=True))
            for name, port in wished.items():
                await ask_for(world, name, port)

            for name, port in wished.items():

                async def has_it(name: str = name, port: int = port) -> bool:
                    return await find_port(world, name) == port

                await wait_until(has_it)
                await world.wait_condition("Stalled", "False", name=name)

    async def test_keep_theirs_while_the_wished_one_belongs_to_another(
        self, world: World
    ):
        theirs = {"type": "NodePort", "ports": [{"port": 80}]}
        made = await world.create(
            SERVICE, {"metadata": {"name": "theirs"}, "spec": theirs}
        )
        taken = made["spec"]["ports"][0]["nodePort"]
        async with running_operator(world) as running:
            await world.apply_hub(FIRST, service={"type": "NodePort"})
            await world.wait_condition("Stalled", "False", name=FIRST)
            own = await find_port(world, FIRST)

            await ask_for(world, FIRST, taken)
            await world.wait_condition(
                "Stalled", "True", "NodePortUnavailable", name=FIRST
            )
            await running.settle()

            assert await find_port(world, FIRST) == own
        await world.delete(SERVICE, "theirs")


class TestD36AnAutoscalerOfTheHub:
    async def test_beside_spec_autoscaling_is_a_conflict_until_it_goes(
        self, world: World
    ):
        async with running_operator(world):
            await world.apply_hub(autoscaling={"minReplicas": 2})
            await world.wait_condition("Stalled", "False")

            theirs = autoscaler("McpHub", "team-data", 1, 3, 80)
            await world.create(AUTOSCALER, theirs)
            told = await world.wait_condition("Stalled", "True", "Conflict")
            assert (
                "HorizontalPodAutoscaler theirs scales this McpHub" in told["message"]
            )

            await world.delete(AUTOSCALER, "theirs")
            await world.wait_condition("Stalled", "False")

    async def test_alone_is_none(self, world: World):
        async with running_operator(world) as running:
            await world.create(AUTOSCALER, autoscaler("McpHub", "team-data", 1, 3, 80))
            await world.apply_hub()
            await world.wait_condition("Stalled", "False")
            await running.settle()

            assert (await world.condition("Stalled"))["status"] == "False"


class TestASecretThatTwoHubsRead:
    async def test_outlives_the_hub_whose_it_is(self, world: World):
        async with running_operator(world) as running:
            await world.apply_hub(FIRST)
            await world.wait_condition("SecretsResolved", "True", name=FIRST)
            await running.settle()
            made = await world.get(SECRET, AUTH)
            assert made["metadata"]["ownerReferences"]

            await world.apply_hub(SECOND, auth={"tokensSecretRef": {"name": AUTH}})

            async def has_no_owner() -> bool:
                found = await world.get(SECRET, AUTH)
                return not found["metadata"].get("ownerReferences")

            await wait_until(has_no_owner)
            await world.delete(HUB, FIRST)
            await running.settle()

            kept = await world.get(SECRET, AUTH)
            assert kept["data"] == made["data"]
            await world.wait_condition("SecretsResolved", "True", name=SECOND)

    async def test_is_owned_again_once_only_its_own_hub_reads_it(self, world: World):
        async with running_operator(world) as running:
            await world.apply_hub(FIRST)
            await world.apply_hub(SECOND, auth={"tokensSecretRef": {"name": AUTH}})
            await world.wait_condition("SecretsResolved", "True", name=SECOND)
            await running.settle()

            await world.apply_hub(SECOND)

            async def has_an_owner() -> bool:
                found = await world.get(SECRET, AUTH)
                return bool(found["metadata"].get("ownerReferences"))

            await wait_until(has_an_owner)
