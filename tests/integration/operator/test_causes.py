"""D2-D5, D29: the cause stands in STATUS and MESSAGE, whatever the cause is."""

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from mcphub_operator import names
from mcphub_operator.client.api import Call
from mcphub_operator.client.kinds import (
    DEPLOYMENT,
    HUB,
    NODE,
    POD,
    SERVICE,
    Kind,
)
from mcphub_operator.client.writer import MERGE
from mcphub_operator.errors import Refused, Unavailable
from tests.support.running_operator import (
    Running,
    World,
    make_pods_ready,
    running_operator,
)
from tests.support.waiting import wait_until

pytestmark = pytest.mark.timeout(240)

QUOTA = Kind("ResourceQuota", "v1", "resourcequotas")
LIMITS = Kind("LimitRange", "v1", "limitranges")
POLICY = Kind(
    "ValidatingAdmissionPolicy",
    "admissionregistration.k8s.io/v1",
    "validatingadmissionpolicies",
    namespaced=False,
)
BINDING = Kind(
    "ValidatingAdmissionPolicyBinding",
    "admissionregistration.k8s.io/v1",
    "validatingadmissionpolicybindings",
    namespaced=False,
)
WEBHOOK = Kind(
    "ValidatingWebhookConfiguration",
    "admissionregistration.k8s.io/v1",
    "validatingwebhookconfigurations",
    namespaced=False,
)
QUICKLY_SECONDS = 5.0


async def find_pod(world: World) -> str:
    selector = f"{names.LABEL_INSTANCE}=team-data"
    found: list[Any] = []

    async def there() -> bool:
        found[:] = await world.list(POD, selector)
        return bool(found)

    await wait_until(there)
    return str(found[0]["metadata"]["name"])


def container(**parts: Any) -> dict[str, Any]:
    status = {
        "name": "server",
        "image": "mcphub-server:1",
        "imageID": "",
        "ready": False,
        "restartCount": 0,
    }
    return {"status": {"phase": "Pending", "containerStatuses": [status | parts]}}


def waiting(reason: str) -> dict[str, Any]:
    return {"state": {"waiting": {"reason": reason, "message": "said the kubelet"}}}


OOM = {"terminated": {"exitCode": 137, "reason": "OOMKilled"}}
CRASH = {"terminated": {"exitCode": 3, "reason": "Error"}}
UNSCHEDULED = {
    "status": {
        "conditions": [
            {
                "type": "PodScheduled",
                "status": "False",
                "reason": "Unschedulable",
                "message": "0/3 nodes are available",
            }
        ]
    }
}


class TestD2:
    @pytest.mark.parametrize(
        ("status", "reason", "word"),
        [
            (container(**waiting("ErrImagePull")), "ImagePullFailed", "mcphub-server"),
            (
                container(**waiting("InvalidImageName")),
                "ImagePullFailed",
                "mcphub-server",
            ),
            (
                container(**waiting("CrashLoopBackOff"), lastState=OOM),
                "OutOfMemory",
                "137",
            ),
            (
                container(**waiting("CrashLoopBackOff"), lastState=CRASH),
                "CrashLooping",
                "exit code 3",
            ),
            (
                container(**waiting("CreateContainerConfigError")),
                "ConfigurationError",
                "said the kubelet",
            ),
            (UNSCHEDULED, "Unschedulable", "0/3 nodes"),
        ],
    )
    async def test_the_fault_of_a_pod_is_told_within_seconds(
        self, world: World, status: dict[str, Any], reason: str, word: str
    ):
        async with running_operator(world) as running:
            await world.apply_hub()
            name = await find_pod(world)
            began = time.monotonic()

            await world.patch(POD, name, status, "/status")
            told = await world.wait_condition("Ready", "False", reason)
            took = time.monotonic() - began

            print(f"{reason}: {took:.2f} s")
            assert word in told["message"]
            assert name in told["message"]
            await running.settle()
            running.requests.forget()
            running.operator.enqueue_all()
            await running.settle()
            assert running.requests.writes == []

            await world.end_pod(name)
            await make_pods_ready(world, "team-data", 1)
            await world.wait_condition("Ready", "True", "Available")

    @pytest.mark.parametrize(
        ("kind", "spec", "word"),
        [
            (QUOTA, {"hard": {"pods": "0"}}, "exceeded quota"),
            (
                LIMITS,
                {"limits": [{"type": "Container", "max": {"memory": "1Mi"}}]},
                "maximum memory usage",
            ),
        ],
        ids=["a quota", "a LimitRange"],
    )
    async def test_what_refuses_pods_is_told(
        self, world: World, kind: Kind, spec: dict[str, Any], word: str
    ):
        await world.create(kind, {"metadata": {"name": "limits"}, "spec": spec})
        await wait_for_quota(world, kind)
        async with running_operator(world) as running:
            await world.apply_hub()

            told = await world.wait_condition("Ready", "False", "PodsRefused")

            assert word in told["message"]
            await running.settle()
            await world.delete(kind, "limits")

    async def test_a_missing_priority_class_is_told(self, world: World):
        async with running_operator(world):
            await world.apply_hub(pod={"priorityClassName": "missing"})

            told = await world.wait_condition("Ready", "False", "PodsRefused")

            assert "missing" in told["message"]


async def wait_for_quota(world: World, kind: Kind) -> None:
    async def counted() -> bool:
        found = await world.get(kind, "limits")
        return kind is not QUOTA or bool((found.get("status") or {}).get("hard"))

    await wait_until(counted)


def head(kind: Kind) -> dict[str, str]:
    return {"apiVersion": kind.group_version, "kind": kind.name}


@asynccontextmanager
async def denied(world: World, resource: str, group: str) -> AsyncIterator[None]:
    """An admission policy that denies a resource in the namespace."""
    name = f"deny-{resource}-{world.namespace}"
    rule = {
        "apiGroups": [group],
        "apiVersions": ["v1"],
        "operations": ["CREATE", "UPDATE"],
        "resources": [resource],
    }
    scope = {"matchLabels": {"kubernetes.io/metadata.name": world.namespace}}
    policy = {
        "metadata": {"name": name},
        "spec": {
            "matchConstraints": {"resourceRules": [rule], "namespaceSelector": scope},
            "validations": [{"expression": "false", "message": "not in this team"}],
        },
    }
    binding = {
        "metadata": {"name": name},
        "spec": {"policyName": name, "validationActions": ["Deny"]},
    }
    await world.api.create(POLICY, world.namespace, head(POLICY) | policy)
    await world.api.create(BINDING, world.namespace, head(BINDING) | binding)
    try:
        await wait_until(lambda: _is_denied(world))
        yield
    finally:
        for kind in (BINDING, POLICY):
            call = Call("delete", kind.name, "DELETE", kind.path(None, name))
            await world.api.ask(call)


async def _is_denied(world: World) -> bool:
    """Whether the policy is in force; a dry run of what it denies tells."""
    body = {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "probe"},
        "spec": {
            "selector": {"matchLabels": {"a": "b"}},
            "template": {
                "metadata": {"labels": {"a": "b"}},
                "spec": {"containers": [{"name": "x", "image": "x"}]},
            },
        },
    }
    path = DEPLOYMENT.path(world.namespace)
    call = Call("create", "Deployment", "POST", path, {"dryRun": "All"}, body)
    try:
        await world.api.ask(call)
    except (Refused, Unavailable):
        return True
    return False


class TestD3:
    async def test_a_denied_write_is_told_of_a_new_hub(self, world: World):
        async with denied(world, "deployments", "apps"), running_operator(world):
            await world.apply_hub()

            told = await world.wait_condition("Ready", "False", "WriteDenied")

            assert "Deployment team-data" in told["message"]
            assert "not in this team" in told["message"]
            stalled = await world.condition("Stalled")
            assert stalled["reason"] == "WriteDenied"

    async def test_a_denied_write_is_told_of_a_hub_that_serves(self, world: World):
        async with running_operator(world) as running:
            await world.apply_hub()
            await world.wait_condition("Stalled", "False")
            await make_pods_ready(world, "team-data", 1)
            await world.wait_condition("Ready", "True", "Available")
            async with denied(world, "deployments", "apps"):
                await world.apply_hub(logging={"level": "debug"})

                told = await world.wait_condition("Ready", "True", "WriteDenied")

                assert "not in this team" in told["message"]
            running.operator.enqueue_all()
            await world.wait_condition("Stalled", "False")

    async def test_a_quota_for_node_ports_is_told(self, world: World):
        hard = {"spec": {"hard": {"services.nodeports": "0"}}}
        await world.create(QUOTA, {"metadata": {"name": "limits"}, **hard})
        await wait_for_quota(world, QUOTA)
        async with running_operator(world):
            await world.apply_hub(service={"type": "NodePort"})

            told = await world.wait_condition("Ready", "False", "WriteDenied")

            assert "exceeded quota" in told["message"]
            assert await world.find(SERVICE, "team-data") is None


async def test_d29_a_refused_write_is_not_counted_as_written(world: World):
    async with denied(world, "deployments", "apps"), running_operator(world) as running:
        await world.apply_hub()
        await world.wait_condition("Ready", "False", "WriteDenied")

        metrics = running.operator.metrics.registry
        written = metrics.get_sample_value(
            "mcphub_operator_writes_total", {"kind": "Deployment"}
        )
        refused = metrics.get_sample_value(
            "mcphub_operator_write_failures_total",
            {"kind": "Deployment", "reason": "Invalid"},
        )
        assert written is None
        assert refused is not None


async def start_serving(running: Running, **spec: Any) -> None:
    world = running.world
    await world.apply_hub(**spec)
    await world.wait_condition("Stalled", "False")
    await make_pods_ready(world, "team-data", spec.get("replicas", 1))


class TestD4:
    async def test_a_scale_up_that_a_quota_stops_is_told_and_stalls(
        self, world: World, monkeypatch: pytest.MonkeyPatch
    ):
        monkeypatch.setattr("mcphub_operator.status.causes.DEADLINE_SECONDS", 3.0)
        async with running_operator(world) as running:
            await start_serving(running)
            await world.wait_condition("Ready", "True", "Available")
            quota = {"metadata": {"name": "limits"}, "spec": {"hard": {"pods": "1"}}}
            await world.create(QUOTA, quota)
            await wait_for_quota(world, QUOTA)

            await world.apply_hub(replicas=3)

            told = await world.wait_condition("Ready", "True", "PodsRefused")
            assert "exceeded quota" in told["message"]
            await world.wait_condition("Stalled", "True", "PodsRefused")
            await world.wait_condition("Reconciling", "False")

            await world.delete(QUOTA, "limits")
            await world.apply_hub(replicas=1)
            await world.wait_condition("Stalled", "False")
            await world.wait_condition("Ready", "True", "Available")


class TestSiblings:
    async def test_a_load_balancer_without_an_address_is_told(self, world: World):
        async with running_operator(world) as running:
            await start_serving(running, service={"type": "LoadBalancer"})
            await world.wait_condition("Ready", "True", "AddressPending")
            ingress = {"status": {"loadBalancer": {"ingress": [{"ip": "192.0.2.1"}]}}}

            await world.patch(SERVICE, "team-data", ingress, "/status")

            await world.wait_condition("Ready", "True", "Available")
            hub = await world.get(HUB, "team-data")
            assert hub["status"]["endpoints"]["mcp"].startswith("http://192.0.2.1")

    async def test_a_paused_rollout_is_told(self, world: World):
        async with running_operator(world) as running:
            await start_serving(running)
            await world.wait_condition("Ready", "True", "Available")

            await world.patch(DEPLOYMENT, "team-data", {"spec": {"paused": True}})
            await world.apply_hub(logging={"level": "debug"})

            told = await world.wait_condition("Ready", "True", "RolloutPaused")
            assert "kubectl rollout resume" in told["message"]

    async def test_a_pod_that_has_ended_counts_nowhere(self, world: World):
        async with running_operator(world) as running:
            await start_serving(running)
            name = await find_pod(world)
            evicted = {"status": {"phase": "Failed", "reason": "Evicted"}}

            await world.patch(POD, name, evicted, "/status")

            async def is_forgotten() -> bool:
                pods = running.operator.caches.pods.all()
                return name not in {pod.name for _, pod in pods}

            await wait_until(is_forgotten)

    async def test_a_new_pod_that_never_becomes_ready_stalls_the_hub(
        self, world: World, monkeypatch: pytest.MonkeyPatch
    ):
        monkeypatch.setattr("mcphub_operator.status.causes.DEADLINE_SECONDS", 6.0)
        monkeypatch.setattr("mcphub_operator.status.unready_pods.HINT_SECONDS", 3.0)
        async with running_operator(world) as running:
            await start_serving(running)
            await world.wait_condition("Ready", "True", "Available")

            await world.apply_hub(replicas=2)

            told = await world.wait_condition("Stalled", "True", "RolloutStuck")
            ready = await world.wait_condition("Ready", "True", "RolloutStuck")
            assert "1 of 2 replicas ready" in ready["message"]
            assert "waits for a node" in told["message"]

            await make_pods_ready(world, "team-data", 2)
            await world.wait_condition("Stalled", "False")
            await world.wait_condition("Ready", "True", "Available")

    async def test_a_pod_that_is_not_ready_any_more_is_told(self, world: World):
        async with running_operator(world) as running:
            await start_serving(running)
            await world.wait_condition("Ready", "True", "Available")
            name = await find_pod(world)
            unready = {"status": {"conditions": [{"type": "Ready", "status": "False"}]}}

            await world.patch(POD, name, unready, "/status")

            told = await world.wait_condition("Ready", "False", "NoReadyReplica")
            assert f"pod {name}" in told["message"]

    async def test_a_lost_node_is_told(self, world: World):
        async with lost_node(world) as node, running_operator(world) as running:
            await start_serving(running)
            await world.wait_condition("Ready", "True", "Available")
            name = await find_pod(world)
            binding = {
                "apiVersion": "v1",
                "kind": "Binding",
                "metadata": {"name": name},
                "target": {"kind": "Node", "name": node},
            }
            path = POD.path(world.namespace, name) + "/binding"
            await world.api.ask(Call("create", "Binding", "POST", path, body=binding))
            unready = {"status": {"conditions": [{"type": "Ready", "status": "False"}]}}

            await world.patch(POD, name, unready, "/status")

            told = await world.wait_condition("Ready", "False", "NodeNotReady")
            assert f"node {node} of pod {name}" in told["message"]

    async def test_a_webhook_that_gives_no_answer_is_told(self, world: World):
        async with running_operator(world) as running:
            await start_serving(running)
            await world.wait_condition("Ready", "True", "Available")
            async with dead_webhook(world):
                await world.apply_hub(logging={"level": "debug"})

                told = await world.wait_condition("Ready", "True", "WriteFailed")

                assert "Deployment team-data" in told["message"]
                assert "failed calling webhook" in told["message"]
                await world.wait_condition("Reconciling", "True", "WriteFailed")
            await world.wait_condition("Ready", "True", "Progressing")


@asynccontextmanager
async def lost_node(world: World) -> AsyncIterator[str]:
    """A node whose kubelet does not report."""
    name = f"lost-{world.namespace}"
    conditions = {"status": {"conditions": [{"type": "Ready", "status": "Unknown"}]}}
    body = head(NODE) | {"metadata": {"name": name}}
    await world.api.create(NODE, world.namespace, body)
    try:
        path = NODE.path(None, name) + "/status"
        await world.api.ask(Call("patch", "Node", "PATCH", path, {}, conditions, MERGE))
        yield name
    finally:
        await world.api.ask(Call("delete", "Node", "DELETE", NODE.path(None, name)))


@asynccontextmanager
async def dead_webhook(world: World) -> AsyncIterator[None]:
    """An admission webhook for Deployments of the namespace that nothing serves."""
    name = f"dead.{world.namespace}.example.com"
    scope = {"matchLabels": {"kubernetes.io/metadata.name": world.namespace}}
    rule = {
        "apiGroups": ["apps"],
        "apiVersions": ["v1"],
        "operations": ["CREATE", "UPDATE"],
        "resources": ["deployments"],
    }
    webhook = {
        "name": name,
        "admissionReviewVersions": ["v1"],
        "clientConfig": {"url": "https://127.0.0.1:1/"},
        "failurePolicy": "Fail",
        "namespaceSelector": scope,
        "rules": [rule],
        "sideEffects": "None",
        "timeoutSeconds": 1,
    }
    body = head(WEBHOOK) | {"metadata": {"name": name}, "webhooks": [webhook]}
    await world.api.create(WEBHOOK, world.namespace, body)
    try:
        await wait_until(lambda: _is_denied(world))
        yield
    finally:
        call = Call("delete", WEBHOOK.name, "DELETE", WEBHOOK.path(None, name))
        await world.api.ask(call)


async def test_a_pod_that_is_labelled_out_of_its_hub_counts_no_longer(world: World):
    """As people do to look at a pod that misbehaves, while another one serves."""
    async with running_operator(world) as running:
        await start_serving(running)
        name = await find_pod(world)
        labels = {names.LABEL_INSTANCE: "debug"}

        await world.patch(POD, name, {"metadata": {"labels": labels}})

        async def is_forgotten() -> bool:
            pods = running.operator.caches.pods.all()
            return name not in {pod.name for _, pod in pods}

        await wait_until(is_forgotten)
        await world.wait_condition("Ready", "False", "NoReadyReplica")
