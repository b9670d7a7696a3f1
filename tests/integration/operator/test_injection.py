"""What injectors add to pods and Deployments stays; the hub's own parts are kept."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from copy import deepcopy
from typing import Any

from mcphub_operator.client.api import Call
from mcphub_operator.client.kinds import DEPLOYMENT, DISRUPTION_BUDGET, POD, Kind
from tests.support.played_pods import find_pod, head, start_serving
from tests.support.running_operator import World, running_operator
from tests.support.waiting import wait_until

GROUP = "admissionregistration.k8s.io/v1"
POLICY = Kind(
    "MutatingAdmissionPolicy", GROUP, "mutatingadmissionpolicies", namespaced=False
)
BINDING = Kind(
    "MutatingAdmissionPolicyBinding",
    GROUP,
    "mutatingadmissionpolicybindings",
    namespaced=False,
)
SIDECAR = """Object{spec: Object.spec{
  containers: [Object.spec.containers{name: "istio-proxy", image: "proxy:1"}],
  initContainers: [Object.spec.initContainers{name: "istio-init", image: "proxy:1"}],
  volumes: [Object.spec.volumes{
    name: "istio-data", emptyDir: Object.spec.volumes.emptyDir{}}]
}}"""


@asynccontextmanager
async def injected(world: World) -> AsyncIterator[None]:
    """A service mesh that adds a container to every new pod of the namespace."""
    name = f"inject-{world.namespace}"
    rule = {
        "apiGroups": [""],
        "apiVersions": ["v1"],
        "operations": ["CREATE"],
        "resources": ["pods"],
    }
    scope = {"matchLabels": {"kubernetes.io/metadata.name": world.namespace}}
    mutation = {
        "patchType": "ApplyConfiguration",
        "applyConfiguration": {"expression": SIDECAR},
    }
    spec = {
        "matchConstraints": {"resourceRules": [rule], "namespaceSelector": scope},
        "mutations": [mutation],
        "failurePolicy": "Fail",
        "reinvocationPolicy": "Never",
    }
    metadata = {"metadata": {"name": name}}
    binding = metadata | {"spec": {"policyName": name}}
    await world.api.create(
        POLICY, world.namespace, head(POLICY) | metadata | {"spec": spec}
    )
    await world.api.create(BINDING, world.namespace, head(BINDING) | binding)
    try:
        await wait_until(lambda: _is_injected(world))
        yield
    finally:
        for kind in (BINDING, POLICY):
            call = Call("delete", kind.name, "DELETE", kind.path(None, name))
            await world.api.ask(call)


async def _is_injected(world: World) -> bool:
    """Whether the policy is in force; a dry run tells."""
    spec = {"containers": [{"name": "x", "image": "x"}]}
    body = head(POD) | {"metadata": {"name": "probe"}, "spec": spec}
    path = POD.path(world.namespace)
    call = Call("create", "Pod", "POST", path, {"dryRun": "All"}, body)
    answer = await world.api.ask(call)
    return len(answer["spec"]["containers"]) == 2


async def test_a_container_that_a_mesh_injects_into_pods_is_left(world: World):
    async with injected(world), running_operator(world) as running:
        await start_serving(running)
        await world.wait_condition("Ready", "True", "Available")
        await running.settle()
        running.requests.forget()
        running.operator.enqueue_all()
        await running.settle()

        assert running.requests.writes == []
        pod = await world.get(POD, await find_pod(world))
        assert [c["name"] for c in pod["spec"]["containers"]] == [
            "server",
            "istio-proxy",
        ]
        deployment = await world.get(DEPLOYMENT, "team-data")
        template = deployment["spec"]["template"]["spec"]
        assert [c["name"] for c in template["containers"]] == ["server"]


async def test_additions_to_the_template_stay_and_the_hubs_own_items_are_put_back(
    world: World,
):
    async with running_operator(world) as running:
        await world.apply_hub()
        await world.wait_condition("Stalled", "False")
        await running.settle()
        item = await world.get(DEPLOYMENT, "team-data")
        before = deepcopy(item["spec"]["template"]["spec"])
        wanted = deepcopy(before)
        for pod in (wanted, item["spec"]["template"]["spec"]):
            add_shared(pod)
        add_exact(item["spec"]["template"]["spec"])
        path = DEPLOYMENT.path(world.namespace, "team-data")

        await world.api.ask(Call("update", "Deployment", "PUT", path, {}, item))

        async def is_mended() -> bool:
            found = await world.get(DEPLOYMENT, "team-data")
            return by_name(found["spec"]["template"]["spec"]) == by_name(wanted)

        await wait_until(is_mended)
        await running.settle()
        running.requests.forget()
        running.operator.enqueue_all()
        await running.settle()
        assert running.requests.writes == []


def add_shared(pod: dict[str, Any]) -> None:
    """Add what others may add."""
    defaults = {
        "imagePullPolicy": "IfNotPresent",
        "resources": {},
        "terminationMessagePath": "/dev/termination-log",
        "terminationMessagePolicy": "File",
    }
    pod["initContainers"] = [{"name": "init", "image": "init:1"} | defaults]
    pod["containers"].append({"name": "proxy", "image": "proxy:1"} | defaults)
    pod["volumes"].append({"name": "shared", "emptyDir": {}})
    server = pod["containers"][0]
    server["env"].append({"name": "HTTPS_PROXY", "value": "http://proxy"})
    server["volumeMounts"].append({"name": "shared", "mountPath": "/shared"})


def add_exact(pod: dict[str, Any]) -> None:
    """Add what is the hub's own."""
    config = next(v for v in pod["volumes"] if v["name"] == "config")
    config["configMap"]["items"] = [{"key": "hub.yaml", "path": "other.yaml"}]
    server = pod["containers"][0]
    server["env"].append({"name": "MCPHUB_TOKENS_DIR", "value": "/shared"})
    mount = {"name": "shared", "mountPath": "/etc/mcphub/tokens/more"}
    server["volumeMounts"].append(mount)


def by_name(pod: dict[str, Any]) -> dict[str, Any]:
    """A pod's lists in one order."""
    server, *others = pod["containers"]
    lists = ("env", "volumeMounts")
    own = server | {part: sorted(server[part], key=str) for part in lists}
    volumes = sorted(pod["volumes"], key=str)
    return pod | {"containers": [own, *others], "volumes": volumes}


async def test_what_was_swapped_for_another_kind_is_put_back(world: World):
    """An apply alone is refused: of these fields an object may have one only."""
    async with running_operator(world) as running:
        await world.apply_hub(replicas=2)
        await world.wait_condition("Stalled", "False")
        await running.settle()
        before = {kind: await read_spec(world, kind) for kind in SWAPPED}
        for kind, swap in SWAPPED.items():
            item = await world.get(kind, "team-data")
            swap(item["spec"])
            path = kind.path(world.namespace, "team-data")
            await world.api.ask(Call("update", kind.name, "PUT", path, {}, item))

        async def is_mended() -> bool:
            return {kind: await read_spec(world, kind) for kind in SWAPPED} == before

        await wait_until(is_mended)
        await world.wait_condition("Stalled", "False")


async def read_spec(world: World, kind: Kind) -> Any:
    return (await world.get(kind, "team-data"))["spec"]


def swap_budget(spec: dict[str, Any]) -> None:
    del spec["maxUnavailable"]
    spec["minAvailable"] = 2


def swap_parts(spec: dict[str, Any]) -> None:
    pod = spec["template"]["spec"]
    server = pod["containers"][0]
    command = {"exec": {"command": ["true"]}}
    del server["livenessProbe"]["httpGet"]
    server["livenessProbe"] |= command
    server["lifecycle"]["preStop"] = command
    config = next(v for v in pod["volumes"] if v["name"] == "config")
    del config["configMap"]
    config["emptyDir"] = {}
    server["env"][0] = {
        "name": server["env"][0]["name"],
        "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}},
    }


SWAPPED = {DEPLOYMENT: swap_parts, DISRUPTION_BUDGET: swap_budget}
