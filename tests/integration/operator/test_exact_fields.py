"""D6, D19, D20, D21: additions to exact fields are removed by the operator."""

import json
from copy import deepcopy
from typing import Any

import pytest

from mcphub_operator.client.api import Call
from mcphub_operator.client.kinds import (
    BY_NAME,
    DEPLOYMENT,
    NETWORK_POLICY,
    SERVICE,
    Kind,
)
from mcphub_operator.errors import Refused
from mcphub_operator.field_ownership import EXACT, ExactField, find_value
from tests.support.exact_fields import ON_42, add_to
from tests.support.observed import CLUSTER, INGRESS, ROUTE
from tests.support.running_operator import Running, World, running_operator
from tests.support.waiting import wait_until

SPEC: dict[str, Any] = {
    "autoscaling": {"minReplicas": 1, "maxReplicas": 3},
    "disruptionBudget": {},
    "service": {"type": "NodePort"},
    "backends": [CLUSTER],
    "route": ROUTE,
    "ingress": INGRESS,
}
REFUSED = {
    "RoleBinding subjects",
    "HorizontalPodAutoscaler spec.scaleTargetRef",
    "HorizontalPodAutoscaler spec.metrics",
    "Deployment spec.template.spec.activeDeadlineSeconds",
    # without restartPolicy
    "Deployment spec.template.spec.containers[server].restartPolicyRules",
    "Service spec.sessionAffinityConfig",
    "Service spec.loadBalancerSourceRanges",
    "Ingress spec.rules",
}
"""The API server refuses or drops the addition by itself."""


async def add(world: World, field: ExactField) -> bool:
    """Add to a field as a user would; tell whether the API server took it."""
    kind = BY_NAME[field.kind]

    async def put() -> bool:
        item = await world.get(kind, "team-data")
        before = json.dumps(item, sort_keys=True)
        add_to(item, field)
        path = kind.path(world.namespace, "team-data")
        call = Call("update", kind.name, "PUT", path, {}, item)
        try:
            written = await world.api.ask(call)
        except Refused:
            return False
        now = find_value(written, field.path)
        return now != find_value(json.loads(before), field.path)

    return await put()


async def wait_value(world: World, field: ExactField, value: Any) -> None:
    async def is_back() -> bool:
        item = await world.get(BY_NAME[field.kind], "team-data")
        return find_value(item, field.path) == value

    await wait_until(is_back)


async def start(running: Running, **spec: Any) -> None:
    await running.world.apply_hub(**spec)
    await running.world.wait_condition("Stalled", "False")
    await running.settle()


async def test_d19_d20_d21_every_exact_field_is_put_back(world: World):
    refused = set()
    async with running_operator(world) as running:
        await start(running, **SPEC)
        for field in EXACT:
            await running.settle()
            item = await world.get(BY_NAME[field.kind], "team-data")
            value = find_value(item, field.path)
            if await add(world, field):
                await wait_value(world, field, value)
            else:
                refused.add(f"{field.kind} {field}")
        await running.settle()
        running.requests.forget()
        running.operator.enqueue_all()
        await running.settle()

        assert refused <= REFUSED
        assert running.requests.writes == []


PATCHES = [
    pytest.param(
        SERVICE,
        {"spec": {"selector": {"track": "canary"}}},
        id="D19 a label of the selector of the Service",
    ),
    pytest.param(
        SERVICE,
        {"spec": {"selector": {"track": ""}}},
        id="D19 a label without a value",
    ),
    pytest.param(
        NETWORK_POLICY,
        {"spec": {"podSelector": {"matchLabels": {"x": "y"}}}},
        id="D20 a label of the selector of the policy",
    ),
]


@pytest.mark.parametrize(("kind", "change"), PATCHES)
async def test_a_label_that_is_added_to_a_selector_is_removed(
    world: World, kind: Kind, change: dict[str, Any]
):
    async with running_operator(world) as running:
        await start(running)
        before = (await world.get(kind, "team-data"))["spec"]

        await world.patch(kind, "team-data", change)

        async def is_back() -> bool:
            return bool((await world.get(kind, "team-data"))["spec"] == before)

        await wait_until(is_back)


async def test_d20_an_empty_selector_opens_a_policy_to_no_other_namespace(world: World):
    async with running_operator(world) as running:
        await start(running)
        item = await world.get(NETWORK_POLICY, "team-data")
        before = deepcopy(item["spec"])
        item["spec"]["egress"][1]["to"][0]["namespaceSelector"] = {}
        path = NETWORK_POLICY.path(world.namespace, "team-data")

        call = Call("update", "NetworkPolicy", "PUT", path, {}, item)
        written = await world.api.ask(call)

        assert written["spec"] != before

        async def is_back() -> bool:
            found = await world.get(NETWORK_POLICY, "team-data")
            return bool(found["spec"] == before)

        await wait_until(is_back)


async def test_d6_d21_a_broken_container_is_mended_and_foreign_parts_stay(world: World):
    async with running_operator(world) as running:
        await start(running)
        item = await world.get(DEPLOYMENT, "team-data")
        pod = item["spec"]["template"]["spec"]
        own = deepcopy(pod["containers"][0])
        pod["hostNetwork"] = True
        pod["containers"][0] |= {"command": ["false"], "restartPolicy": "Never"}
        pod["containers"][0]["restartPolicyRules"] = [ON_42]
        security = pod["containers"][0]["securityContext"]
        security["capabilities"]["add"] = ["NET_ADMIN"]
        security |= {"runAsUser": 0, "runAsNonRoot": False}
        pod["containers"][0]["env"].append({"name": "HTTPS_PROXY", "value": "http://p"})
        pod["containers"].append({"name": "sidecar", "image": "sidecar:1"})
        path = DEPLOYMENT.path(world.namespace, "team-data")

        await world.api.ask(Call("update", "Deployment", "PUT", path, {}, item))

        async def is_mended() -> bool:
            found = await world.get(DEPLOYMENT, "team-data")
            pod = found["spec"]["template"]["spec"]
            security = pod["containers"][0]["securityContext"]
            return (
                not pod.get("hostNetwork")
                and "command" not in pod["containers"][0]
                and security == own["securityContext"]
            )

        await wait_until(is_mended)
        await running.settle()
        found = (await world.get(DEPLOYMENT, "team-data"))["spec"]["template"]["spec"]
        server, sidecar = found["containers"]
        proxy = {"name": "HTTPS_PROXY", "value": "http://p"}
        assert sidecar["name"] == "sidecar"
        assert proxy in server["env"]
        server["env"].remove(proxy)
        assert server == own
