"""The operator never touches objects of other owners; ports may be taken."""

import pytest

from mcphub_operator import names
from mcphub_operator.client.api import Object
from mcphub_operator.client.kinds import (
    CONFIG_MAP,
    DEPLOYMENT,
    EVENT,
    HUB,
    NETWORK_POLICY,
    SECRET,
    SERVICE,
    SERVICE_ACCOUNT,
)
from mcphub_operator.resources.children import PREREQUISITES
from tests.support.running_operator import World, running_operator
from tests.support.waiting import wait_until

PORTS = {"ports": [{"port": 80}]}
PODS = {"app": "theirs"}
WORKLOAD = {
    "replicas": 0,
    "selector": {"matchLabels": PODS},
    "template": {
        "metadata": {"labels": PODS},
        "spec": {"containers": [{"name": "theirs", "image": "theirs"}]},
    },
}
FOREIGN = [
    pytest.param(CONFIG_MAP, "team-data", {"data": {"theirs": "x"}}, id="ConfigMap"),
    pytest.param(SERVICE, "team-data", {"spec": PORTS}, id="Service"),
    pytest.param(SERVICE, "team-data-pods", {"spec": PORTS}, id="headless Service"),
    pytest.param(SERVICE_ACCOUNT, "team-data", {}, id="ServiceAccount"),
    pytest.param(DEPLOYMENT, "team-data", {"spec": WORKLOAD}, id="Deployment"),
    pytest.param(SECRET, "team-data-keys", {"stringData": {"a": "b"}}, id="Secret"),
    pytest.param(
        NETWORK_POLICY,
        "team-data",
        {"spec": {"podSelector": {}}},
        id="NetworkPolicy",
    ),
]


def without_managers(item: Object) -> Object:
    """An object as its user wrote it: without what the Deployment's controller adds."""
    added = ("managedFields", "resourceVersion", "annotations")
    metadata = {k: v for k, v in item["metadata"].items() if k not in added}
    return {**item, "metadata": metadata, "status": None}


class TestAForeignObject:
    @pytest.mark.parametrize(("kind", "name", "content"), FOREIGN)
    async def test_is_refused_named_and_left_as_it_is(
        self, world: World, kind, name, content
    ):
        theirs = await world.create(kind, {"metadata": {"name": name}, **content})
        async with running_operator(world) as running:
            await world.apply_hub()

            told = await world.wait_condition("Stalled", "True", "Conflict")
            await running.settle()

            assert f"{kind.name} {name}" in told["message"]
            pods = await world.find(DEPLOYMENT, "team-data")
            assert (pods is None) == (kind.name in PREREQUISITES)
            kept = await world.get(kind, name)
            entries = kept["metadata"].get("managedFields", ())
            writers = {entry["manager"] for entry in entries}
            assert names.FIELD_MANAGER not in writers
            assert without_managers(kept) == without_managers(theirs)

    async def test_is_still_refused_after_a_restart(self, world: World):
        await world.create(
            CONFIG_MAP, {"metadata": {"name": "team-data"}, "data": {"theirs": "x"}}
        )
        async with running_operator(world) as first:
            await world.apply_hub()
            await world.wait_condition("Stalled", "True", "Conflict")
            await first.settle()
        async with running_operator(world) as restarted:
            await restarted.settle()

            assert restarted.requests.writes == []

    async def test_with_the_operators_labels_is_refused_as_well(self, world: World):
        labels = {
            **names.selector_labels("team-data"),
            names.LABEL_MANAGED_BY: names.OPERATOR_NAME,
        }
        await world.create(
            CONFIG_MAP, {"metadata": {"name": "team-data", "labels": labels}}
        )
        async with running_operator(world):
            await world.apply_hub()

            await world.wait_condition("Stalled", "True", "Conflict")

    async def test_offered_for_adoption_is_taken_over(self, world: World):
        offered = {
            names.ANNOTATION_ADOPT: "team-data",
            names.ANNOTATION_TAKE_OVER: "team-data",  # for the sake of its other data
        }
        theirs = await world.create(
            CONFIG_MAP,
            {
                "metadata": {"name": "team-data", "annotations": offered},
                "data": {"theirs": "x"},
            },
        )
        async with running_operator(world):
            await world.apply_hub()

            async def adopted() -> bool:
                found = await world.get(CONFIG_MAP, "team-data")
                return bool(found["metadata"].get("ownerReferences"))

            await wait_until(adopted)
            found = await world.get(CONFIG_MAP, "team-data")
            assert found["metadata"]["uid"] == theirs["metadata"]["uid"]
            assert found["data"].keys() == {"theirs", "hub.yaml", "live.yaml"}
            await world.wait_condition("Stalled", "False")


class TestATakenNodePort:
    async def test_is_said_and_mended_by_a_change_of_the_hub(self, world: World):
        spec = {"type": "NodePort", "ports": [{"port": 80}]}
        await world.create(SERVICE, {"metadata": {"name": "theirs"}, "spec": spec})
        taken = (await world.get(SERVICE, "theirs"))["spec"]["ports"][0]["nodePort"]
        async with running_operator(world):
            await world.apply_hub(service={"type": "NodePort", "nodePort": taken})
            told = await world.wait_condition("Stalled", "True", "NodePortUnavailable")

            await world.apply_hub(service={"type": "NodePort"})

            await world.wait_condition("Stalled", "False")
            assert str(taken) in told["message"]
        await world.delete(SERVICE, "theirs")

    async def test_out_of_range_is_said_too(self, world: World):
        async with running_operator(world):
            await world.apply_hub(service={"type": "NodePort", "nodePort": 80})

            told = await world.wait_condition("Stalled", "True", "NodePortUnavailable")

            assert "80" in told["message"]


async def test_a_paused_hub_is_told_about_and_not_written(world: World):
    async with running_operator(world) as running:
        await world.apply_hub(replicas=2, paused=True)
        await world.wait_condition("Paused", "True")
        await running.settle()
        assert await world.find(DEPLOYMENT, "team-data") is None

        await world.apply_hub(replicas=2)
        await world.wait_condition("Paused", "False")

        async def there() -> bool:
            return await world.find(DEPLOYMENT, "team-data") is not None

        await wait_until(there)
        assert (await world.get(HUB, "team-data"))["status"]["observedGeneration"] == 2


async def test_d35_a_service_with_a_fixed_port_is_back_at_once(world: World):
    async with running_operator(world) as running:
        await world.apply_hub(service={"type": "NodePort"})
        await world.wait_condition("Stalled", "False")
        await running.settle()
        service = await world.get(SERVICE, "team-data")
        port = service["spec"]["ports"][0]["nodePort"]
        await world.apply_hub(service={"type": "NodePort", "nodePort": port})
        await running.settle()

        await world.delete(SERVICE, "team-data")

        async def is_back() -> bool:
            found = await world.find(SERVICE, "team-data")
            return (
                found is not None
                and found["metadata"]["uid"] != (service["metadata"]["uid"])
            )

        await wait_until(is_back)
        await running.settle()
        found = await world.get(SERVICE, "team-data")
        assert found["spec"]["ports"][0]["nodePort"] == port
        assert "NodePortUnavailable" not in await event_reasons(world)


async def event_reasons(world: World) -> set[str]:
    return {str(event["reason"]) for event in await world.list(EVENT)}
