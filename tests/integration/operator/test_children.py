"""Children on a real API server: made, kept, corrected, taken away with their hub."""

import pytest

from mcphub_operator import names
from mcphub_operator.client.api import Object
from mcphub_operator.client.kinds import (
    AUTOSCALER,
    CHILD_KINDS,
    CONFIG_MAP,
    DEPLOYMENT,
    DISRUPTION_BUDGET,
    HUB,
    NETWORK_POLICY,
    ROLE_BINDING,
    SECRET,
    SERVICE,
    SERVICE_ACCOUNT,
)
from tests.support.observed import CLUSTER, INGRESS, ROUTE
from tests.support.running_operator import Running, World, running_operator
from tests.support.waiting import wait_until

EVERYTHING = {
    "replicas": 2,
    "autoscaling": {"minReplicas": 2, "maxReplicas": 5},
    "disruptionBudget": {"maxUnavailable": 1},
    "service": {"type": "NodePort"},
    "backends": [CLUSTER],
    "route": ROUTE,
    "ingress": INGRESS,
}
SELECTOR = f"{names.LABEL_INSTANCE}=team-data"


async def versions(world: World) -> dict[str, str]:
    """What is another after any write but those of the cluster's controllers.

    They write the status of a child at any time, an autoscaler's every few seconds.
    """
    hubs = {
        f"Hub/{hub['metadata']['name']}": hub["metadata"]["resourceVersion"]
        for hub in await world.list(HUB)
    }
    return hubs | {
        f"{kind.name}/{item['metadata']['name']}": str(written_parts(item))
        for kind in CHILD_KINDS
        for item in await world.list(kind)
    }


def written_parts(item: Object) -> list[Object]:
    """Who wrote what when, statuses left out."""
    entries = item["metadata"].get("managedFields", ())
    return [entry for entry in entries if entry.get("subresource") != "status"]


async def apply_and_settle(world: World, running: Running, **spec) -> None:
    await world.apply_hub(**spec)
    await wait_until(lambda: _exists(world, DEPLOYMENT, "team-data"))
    await running.settle()


async def _exists(world: World, kind, name: str) -> bool:
    return await world.find(kind, name) is not None


async def _is_absent(world: World, kind) -> bool:
    return not await world.list(kind, SELECTOR)


class TestAHub:
    async def test_gets_every_child(self, world: World):
        async with running_operator(world) as running:
            await apply_and_settle(world, running, **EVERYTHING)

            found = {
                (kind.name, item["metadata"]["name"])
                for kind in CHILD_KINDS
                for item in await world.list(kind, SELECTOR)
            }

        assert found == {
            ("ConfigMap", "team-data"),
            ("Secret", "team-data-auth"),
            ("Secret", "team-data-keys"),
            ("ServiceAccount", "team-data"),
            ("Service", "team-data"),
            ("Service", "team-data-pods"),
            ("Deployment", "team-data"),
            ("HorizontalPodAutoscaler", "team-data"),
            ("PodDisruptionBudget", "team-data"),
            ("NetworkPolicy", "team-data"),
            ("RoleBinding", "team-data"),
            ("Ingress", "team-data"),
            ("HTTPRoute", "team-data"),
        }

    async def test_is_written_as_seldom_as_can_be(self, world: World):
        """One apply for each child, one status when it begins; pods never come here."""
        async with running_operator(world) as running:
            await apply_and_settle(world, running)

            counted = running.requests.count()

        assert {k: n for k, n in counted.items() if k.startswith("apply")} == {
            "apply ConfigMap": 1,
            "apply Secret": 2,
            "apply ServiceAccount": 1,
            "apply Service": 2,
            "apply Deployment": 1,
            "apply NetworkPolicy": 1,
        }
        assert counted["patch McpHub/status"] <= 3

    async def test_at_rest_is_not_written_by_a_second_pass_or_a_restart(
        self, world: World
    ):
        async with running_operator(world) as running:
            await apply_and_settle(world, running, **EVERYTHING)
            before = await versions(world)
            running.requests.forget()

            running.operator.enqueue_all()
            await running.settle()

            assert running.requests.writes == []
        async with running_operator(world) as restarted:
            await restarted.settle()

            assert restarted.requests.writes == []
        assert await versions(world) == before

    async def test_carries_no_finalizer_and_no_annotation_of_ours(self, world: World):
        async with running_operator(world) as running:
            await apply_and_settle(world, running)

            metadata = (await world.get(HUB, "team-data"))["metadata"]

        assert "finalizers" not in metadata
        assert "annotations" not in metadata

    async def test_takes_its_children_with_it_even_without_an_operator(
        self, world: World
    ):
        async with running_operator(world) as running:
            await apply_and_settle(world, running, **EVERYTHING)

        await world.delete(HUB, "team-data")

        async def gone() -> bool:
            return not [i for k in CHILD_KINDS for i in await world.list(k, SELECTOR)]

        await wait_until(gone, timeout_seconds=60)

    async def test_created_again_at_once_gets_children_of_its_own(self, world: World):
        async with running_operator(world) as running:
            await apply_and_settle(world, running)
            await world.delete(HUB, "team-data")

            uid = (await world.apply_hub())["metadata"]["uid"]

            async def owned() -> bool:
                items = [i for k in CHILD_KINDS for i in await world.list(k, SELECTOR)]
                owners = {i["metadata"]["ownerReferences"][0]["uid"] for i in items}
                return len(items) == 8 and owners == {uid}

            await wait_until(owned, timeout_seconds=60)

    @pytest.mark.parametrize(
        ("section", "kind"),
        [
            pytest.param("disruptionBudget", DISRUPTION_BUDGET, id="disruption budget"),
            pytest.param("autoscaling", AUTOSCALER, id="autoscaling"),
            pytest.param("backends", ROLE_BINDING, id="a backend that reads"),
        ],
    )
    async def test_loses_the_child_of_a_section_that_is_removed(
        self, world: World, section, kind
    ):
        start = {**EVERYTHING, "replicas": 1, "autoscaling": {"minReplicas": 1}}
        async with running_operator(world) as running:
            await apply_and_settle(world, running, **start)
            spec = {k: v for k, v in start.items() if k != section}

            await world.apply_hub(**spec)

            await wait_until(lambda: _is_absent(world, kind))

    @pytest.mark.parametrize(
        "chosen",
        [
            pytest.param(None, id="null"),
            pytest.param({"enabled": False}, id="enabled: false"),
        ],
    )
    async def test_d17_has_a_disruption_budget_of_its_own_until_it_is_turned_off(
        self, world: World, chosen
    ):
        async with running_operator(world) as running:
            await apply_and_settle(world, running, replicas=2)
            budget = await world.get(DISRUPTION_BUDGET, "team-data")
            assert budget["spec"]["maxUnavailable"] == 1

            await world.apply_hub(replicas=2, disruptionBudget=chosen)

            await wait_until(lambda: _is_absent(world, DISRUPTION_BUDGET))
            await world.apply_hub(replicas=2)
            await wait_until(lambda: _exists(world, DISRUPTION_BUDGET, "team-data"))


@pytest.mark.parametrize(
    "kind",
    [
        CONFIG_MAP,
        SERVICE_ACCOUNT,
        SERVICE,
        DEPLOYMENT,
        AUTOSCALER,
        DISRUPTION_BUDGET,
        NETWORK_POLICY,
        pytest.param(SECRET, id="Secret"),
    ],
    ids=lambda kind: kind.name,
)
async def test_a_deleted_child_is_created_again(world: World, kind):
    name = "team-data-keys" if kind is SECRET else "team-data"
    async with running_operator(world) as running:
        await apply_and_settle(world, running, **EVERYTHING)
        old = (await world.get(kind, name))["metadata"]["uid"]

        await world.delete(kind, name)

        async def back() -> bool:
            found = await world.find(kind, name)
            return found is not None and found["metadata"]["uid"] != old

        await wait_until(back)


class TestDrift:
    @pytest.mark.parametrize(
        ("kind", "change", "path"),
        [
            pytest.param(
                DEPLOYMENT,
                {"spec": {"replicas": 7}},
                ("spec", "replicas"),
                id="replicas",
            ),
            pytest.param(
                CONFIG_MAP,
                {"data": {"hub.yaml": "broken"}},
                ("data", "hub.yaml"),
                id="configuration",
            ),
            pytest.param(
                SERVICE,
                {"spec": {"selector": {"app": "other"}}},
                ("spec", "selector", names.LABEL_INSTANCE),
                id="selector",
            ),
            pytest.param(
                NETWORK_POLICY,
                {"spec": {"ingress": []}},
                ("spec", "ingress"),
                id="policy",
            ),
        ],
    )
    async def test_is_corrected(self, world: World, kind, change, path):
        async with running_operator(world) as running:
            await apply_and_settle(world, running, replicas=2)

            def value(item):
                for key in path:
                    item = item.get(key) if isinstance(item, dict) else None
                return item

            right = value(await world.get(kind, "team-data"))
            await world.patch(kind, "team-data", change)

            async def corrected() -> bool:
                return value(await world.get(kind, "team-data")) == right

            await wait_until(corrected)

    async def test_that_others_add_is_left_alone(self, world: World):
        async with running_operator(world) as running:
            await apply_and_settle(world, running)
            note = {"metadata": {"annotations": {"theirs": "note"}}}
            restart = {"kubectl.kubernetes.io/restartedAt": "2026-11-21T08:00:00Z"}
            rollout = {
                "spec": {"template": {"metadata": {"annotations": restart}}},
                **note,
            }

            await world.patch(DEPLOYMENT, "team-data", rollout)
            await world.patch(SERVICE, "team-data", note)
            running.requests.forget()
            running.operator.enqueue_all()
            await running.settle()

            kept = await world.get(DEPLOYMENT, "team-data")
            template = kept["spec"]["template"]["metadata"]["annotations"]
            assert template.items() >= restart.items()
            assert not [w for w in running.requests.writes if w.startswith("apply")]

    async def test_of_a_label_that_hides_a_child_is_corrected(self, world: World):
        async with running_operator(world) as running:
            await apply_and_settle(world, running)
            uid = (await world.get(CONFIG_MAP, "team-data"))["metadata"]["uid"]
            hidden = {"metadata": {"labels": {names.LABEL_MANAGED_BY: None}}}

            await world.patch(CONFIG_MAP, "team-data", hidden)

            async def labelled() -> bool:
                found = await world.get(CONFIG_MAP, "team-data")
                labels = found["metadata"]["labels"]
                same = found["metadata"]["uid"] == uid
                return same and labels.get(names.LABEL_MANAGED_BY) is not None

            await wait_until(labelled)
