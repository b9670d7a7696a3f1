"""D2, NEXT 8: the cause stands in STATUS and MESSAGE: what pods and nodes report."""

from typing import Any

import pytest

from mcphub_operator import names
from mcphub_operator.client.kinds import (
    CONFIG_MAP,
    DEPLOYMENT,
    HUB,
    POD,
    SECRET,
    SERVICE,
)
from tests.support.played_pods import (
    UNREADY,
    container,
    ended,
    find_pod,
    lost_node,
    place_pod,
    start_serving,
    wait_told,
    waiting,
)
from tests.support.running_operator import (
    READY_POD,
    World,
    make_pods_ready,
    running_operator,
)
from tests.support.waiting import wait_until

NO_PROGRAM = 'exec: "mcphub": executable file not found in $PATH: unknown'
NO_TAG = "reading manifest 2: manifest unknown"
BACK_OFF = waiting("CrashLoopBackOff")
UNSCHEDULED = {
    "type": "PodScheduled",
    "status": "False",
    "reason": "Unschedulable",
    "message": "0/3 nodes are available",
}
STATES = [
    ({"status": {"conditions": [UNSCHEDULED]}}, "Unschedulable", "0/3 nodes"),
    (container(**waiting("ErrImagePull")), "ImagePullFailed", "mcphub-server"),
    (container(**waiting("InvalidImageName")), "ImagePullFailed", "not valid"),
    (container(**waiting("ErrImagePull", NO_TAG)), "ImagePullFailed", "no such tag"),
    (
        container(**BACK_OFF, lastState=ended(137, "OOMKilled")),
        "OutOfMemory",
        "137",
    ),
    (container(**BACK_OFF, lastState=ended(3)), "CrashLooping", "exit code 3"),
    (
        container(**waiting("CreateContainerConfigError")),
        "ConfigurationError",
        "said the kubelet",
    ),
    (
        container(**waiting("CreateContainerError", "name is reserved")),
        "ConfigurationError",
        "name is reserved",
    ),
    (
        container(**BACK_OFF, lastState=ended(128, "StartError", NO_PROGRAM)),
        "ConfigurationError",
        "no such program",
    ),
]
"""What a kubelet or the scheduler reports of a pod, one after the other."""


async def test_d2_each_fault_of_a_pod_is_told(world: World):
    async with running_operator(world) as running:
        await world.apply_hub()
        name = await find_pod(world)
        for status, reason, word in STATES:
            await world.patch(POD, name, status, "/status")

            told = await wait_told(world, reason, word)

            assert name in told
        await running.settle()
        running.requests.forget()
        running.operator.enqueue_all()
        await running.settle()
        assert running.requests.writes == []

        await world.end_pod(name)
        await make_pods_ready(world, "team-data", 1)
        await world.wait_condition("Ready", "True", "Available")


NOT_MOUNTED = {
    "status": {
        "phase": "Pending",
        "conditions": [{"type": "PodReadyToStartContainers", "status": "False"}],
    }
}


async def add_volume(world: World, volume: dict[str, Any]) -> None:
    """Add a volume to the hub's pods, as an injector does."""
    mount = {"name": volume["name"], "mountPath": "/etc/added"}
    server = {"name": names.CONTAINER, "volumeMounts": [mount]}
    template = {"spec": {"volumes": [volume], "containers": [server]}}
    change = {"metadata": {"name": "team-data"}, "spec": {"template": template}}
    await world.apply(DEPLOYMENT, change, manager="injector")


async def find_pod_with(world: World, volume: str) -> str:
    """Wait for the pod that has a volume."""
    found: list[str] = []

    async def is_there() -> bool:
        pods = await world.list(POD, f"{names.LABEL_INSTANCE}=team-data")
        found[:] = [
            pod["metadata"]["name"]
            for pod in pods
            if volume in {each["name"] for each in pod["spec"]["volumes"]}
        ]
        return bool(found)

    await wait_until(is_there)
    return found[0]


class TestSiblings:
    async def test_a_missing_login_of_a_registry_is_told(self, world: World):
        async with running_operator(world):
            await world.apply_hub(imagePullSecrets=[{"name": "registry"}])
            pulling = container(**waiting("ErrImagePull", "401 Unauthorized"))
            await world.patch(POD, await find_pod(world), pulling, "/status")

            login = "Secret registry of spec.imagePullSecrets"
            await wait_told(world, "ImagePullFailed", f"{login} does not exist")

            await world.create(SECRET, {"metadata": {"name": "registry"}})
            pulling = container(**waiting("ErrImagePull", "429 Too Many Requests"))
            await world.patch(POD, await find_pod(world), pulling, "/status")
            await wait_told(world, "ImagePullFailed", f"{login} has the type Opaque")

    async def test_a_missing_login_of_all_hubs_is_told(self, world: World):
        async with running_operator(world, image_pull_secrets=("common",)):
            await world.apply_hub()
            pulling = container(**waiting("ErrImagePull", "401 Unauthorized"))
            await world.patch(POD, await find_pod(world), pulling, "/status")

            login = "Secret common of MCPHUB_IMAGE_PULL_SECRETS does not exist"
            await wait_told(world, "ImagePullFailed", login)

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

    async def test_an_evicted_pod_counts_nowhere_and_is_the_cause(self, world: World):
        async with running_operator(world) as running:
            await start_serving(running)
            name = await find_pod(world)
            low = {"phase": "Failed", "reason": "Evicted", "message": "low on memory"}

            await world.patch(POD, name, {"status": low}, "/status")

            told = await wait_told(world, "PodsEvicted", name)
            assert "low on memory" in told
            pods = {pod.name for _, pod in running.operator.caches.pods.all()}
            assert name not in pods

            await make_pods_ready(world, "team-data", 1)
            await world.wait_condition("Ready", "True", "Available")

    async def test_a_volume_of_others_that_does_not_exist_is_told(self, world: World):
        """As a kubelet sees it: FailedMount is an Event, and the pod only waits."""
        async with lost_node(world) as node, running_operator(world) as running:
            await start_serving(running)
            await add_volume(world, {"name": "ca", "configMap": {"name": "corp-ca"}})
            name = await find_pod_with(world, "ca")
            await place_pod(world, name, node)

            await world.patch(POD, name, NOT_MOUNTED, "/status")

            told = await wait_told(world, "ConfigurationError", "ConfigMap corp-ca")
            assert "does not exist" in told

            config = {"metadata": {"name": "corp-ca"}, "data": {"ca.crt": "x"}}
            await world.create(CONFIG_MAP, config)
            await world.patch(POD, name, READY_POD, "/status")
            await make_pods_ready(world, "team-data", 1)
            await world.wait_condition("Ready", "True", "Available")

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

            await world.patch(POD, name, UNREADY, "/status")

            told = await world.wait_condition("Ready", "False", "NoReadyReplica")
            assert f"pod {name}" in told["message"]

    async def test_a_lost_node_is_told(self, world: World):
        async with lost_node(world) as node, running_operator(world) as running:
            await start_serving(running)
            await world.wait_condition("Ready", "True", "Available")
            name = await find_pod(world)
            await place_pod(world, name, node)

            await world.patch(POD, name, UNREADY, "/status")

            told = await world.wait_condition("Ready", "False", "NodeNotReady")
            assert f"node {node} of pod {name}" in told["message"]


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
