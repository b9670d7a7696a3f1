"""Adopting objects that serve others: never by one annotation."""

from typing import Any

import pytest

from mcphub_operator import names
from mcphub_operator.client.kinds import (
    AUTOSCALER,
    DISRUPTION_BUDGET,
    HTTP_ROUTE,
    NETWORK_POLICY,
    ROLE_BINDING,
    Kind,
)
from mcphub_operator.client.kinds import INGRESS as INGRESS_KIND
from tests.support.observed import CLUSTER, INGRESS, ROUTE
from tests.support.running_operator import World, make_pods_ready, running_operator
from tests.support.waiting import wait_until

OTHER_PODS = {"matchLabels": {"app": "theirs"}}
THEIR_SERVICE = {"service": {"name": "theirs", "port": {"number": 80}}}
THEIR_PATH = {"path": "/", "pathType": "Prefix", "backend": THEIR_SERVICE}
IN_USE = {
    DISRUPTION_BUDGET: {"spec": {"minAvailable": 1, "selector": OTHER_PODS}},
    NETWORK_POLICY: {"spec": {"podSelector": {}, "policyTypes": ["Ingress"]}},
    AUTOSCALER: {
        "spec": {
            "maxReplicas": 9,
            "scaleTargetRef": {
                "apiVersion": "apps/v1",
                "kind": "StatefulSet",
                "name": "theirs",
            },
        }
    },
    INGRESS_KIND: {
        "spec": {"rules": [{"host": "x.example.com", "http": {"paths": [THEIR_PATH]}}]}
    },
    HTTP_ROUTE: {
        "spec": {
            "parentRefs": [{"name": "theirs"}],
            "rules": [{"backendRefs": [{"name": "theirs", "port": 80}]}],
        }
    },
    ROLE_BINDING: {
        "roleRef": {
            "apiGroup": "rbac.authorization.k8s.io",
            "kind": "ClusterRole",
            "name": names.OBSERVER_ROLE,
        },
        "subjects": [{"kind": "ServiceAccount", "name": "theirs"}],
    },
}
"""Objects of others under the hub's name, each in use for something else."""


PARTS = [
    pytest.param((DISRUPTION_BUDGET, NETWORK_POLICY, AUTOSCALER), id="around pods"),
    pytest.param((INGRESS_KIND, HTTP_ROUTE, ROLE_BINDING), id="from outside"),
]


@pytest.mark.parametrize("kinds", PARTS)
async def test_what_serves_others_is_adopted_by_two_annotations_only(
    world: World, kinds: tuple[Kind, ...]
):
    for kind in kinds:
        content = IN_USE[kind]
        subjects = [
            subject | {"namespace": world.namespace}
            for subject in content.get("subjects", ())
        ]
        there = content | ({"subjects": subjects} if subjects else {})
        await world.create(kind, {"metadata": {"name": "team-data"}, **there})
    before = {kind: await read_content(world, kind) for kind in kinds}
    async with running_operator(world) as running:
        await world.apply_hub(
            autoscaling={"minReplicas": 2, "maxReplicas": 3},
            backends=[CLUSTER],
            ingress=INGRESS,
            route=ROUTE,
        )
        await wait_stalled(world, dict.fromkeys(kinds, "rename this hub"))
        await make_pods_ready(world, "team-data", 2)

        await offer_all(world, kinds, names.ANNOTATION_ADOPT)
        running.operator.enqueue_all()
        await wait_stalled(world, dict.fromkeys(kinds, names.ANNOTATION_TAKE_OVER))
        await running.settle()
        assert {k: await read_content(world, k) for k in kinds} == before

        await offer_all(world, kinds, names.ANNOTATION_TAKE_OVER)
        running.operator.enqueue_all()
        await world.wait_condition("Stalled", "False")
        await wait_until(lambda: are_evaluated_again(world, kinds))
        await running.settle()
        for kind in kinds:
            found = await world.get(kind, "team-data")
            assert found["metadata"]["ownerReferences"][0]["name"] == "team-data"
            assert "theirs" not in str(await read_content(world, kind))
        running.requests.forget()
        running.operator.enqueue_all()
        await running.settle()
        assert running.requests.writes == []


async def are_evaluated_again(world: World, kinds: tuple[Kind, ...]) -> bool:
    """Tell whether no controller reports on what the objects served before.

    An autoscaler's is a sync period late, and has no generation to tell by.
    """
    found = [await world.get(kind, "team-data") for kind in kinds]
    return "theirs" not in str([each.get("status") for each in found])


async def read_content(world: World, kind: Kind) -> Any:
    """What an object does, without what controllers report."""
    found = await world.get(kind, "team-data")
    return {k: v for k, v in found.items() if k not in ("metadata", "status")}


async def offer_all(world: World, kinds: tuple[Kind, ...], annotation: str) -> None:
    change = {"metadata": {"annotations": {annotation: "team-data"}}}
    for kind in kinds:
        await world.patch(kind, "team-data", change)


async def wait_stalled(world: World, words: dict[Kind, str]) -> None:
    """Wait until Stalled has a sentence about each object, with this word."""

    async def is_told() -> bool:
        told = str((await world.condition("Stalled")).get("message"))
        sentences = told.split("; ")
        return all(
            any(f"{kind.name} team-data" in s for s in sentences) and word in told
            for kind, word in words.items()
        )

    await wait_until(is_told)
