"""The cluster's tools against a real API server, with the rights of a ServiceAccount.

There is no kubelet here, so pods stay Pending and have no logs.
"""

from typing import Any
from urllib.parse import urlsplit

import pytest

from tests.support.hub import LoopHub, hub_in_loop
from tests.support.hub_states import wait_for_state

from .conftest import CANARY, NODES_BINDING, Cluster, find_pod, grant


@pytest.fixture(autouse=True)
def address(cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    """Set what Kubernetes sets in every pod."""
    parts = urlsplit(cluster.api.url)
    monkeypatch.setenv("KUBERNETES_SERVICE_HOST", str(parts.hostname))
    monkeypatch.setenv("KUBERNETES_SERVICE_PORT", str(parts.port))


async def call(hub: LoopHub, tool: str, **arguments: Any) -> Any:
    async with hub.client() as client:
        return await client.call_tool_mcp(f"cluster_{tool}", arguments)


async def test_a_namespace_that_agreed_is_read_and_shows_no_secret(
    cluster: Cluster,
) -> None:
    files = cluster.files("reads", namespaces=["agreed"], logs=True)
    pod = find_pod(cluster, "agreed")

    async with hub_in_loop(files) as hub:
        await wait_for_state(hub, "cluster", "Connected")
        workloads = await call(hub, "list_workloads")
        pods = await call(hub, "list_pods", selector="app=shop")
        events = await call(hub, "list_events", object="shop")
        shown = await call(hub, "describe", kind="Deployment", name="shop")
        shown_pod = await call(hub, "describe", kind="pod", name=pod)
        usage = await call(hub, "resource_usage")
        logs = await call(hub, "pod_logs", pod=pod)
        secret = await call(hub, "describe", kind="Secret", name="login")

    (deployment,) = workloads.structured_content["items"]
    assert (deployment["ready"], deployment["desired"]) == (0, 2)
    assert [each["phase"] for each in pods.structured_content["items"]] == [
        "Pending",
        "Pending",
    ]
    assert events.structured_content["items"][0]["reason"] == "ScalingReplicaSet"
    assert shown.structured_content["spec"]["replicas"] == 2
    assert shown_pod.structured_content["status"]["phase"] == "Pending"
    assert "no metrics API" in usage.content[0].text
    assert logs.structured_content == {"pod": pod, "lines": [], "truncated": False}
    assert secret.is_error
    answers = (workloads, pods, events, shown, shown_pod, usage, logs, secret)
    assert CANARY not in str(answers)


async def test_a_namespace_that_did_not_agree_is_refused_until_it_does(
    cluster: Cluster,
) -> None:
    files = cluster.files("refused", namespaces=["agreed", "silent"])

    async with hub_in_loop(files) as hub:
        shown = await wait_for_state(hub, "cluster", "Degraded", "Forbidden")
        agreed = await call(hub, "list_pods", namespace="agreed")
        refused = await call(hub, "list_pods", namespace="silent")
        described = await call(
            hub, "describe", kind="Deployment", name="shop", namespace="silent"
        )
        grant(cluster, "silent")
        await wait_for_state(hub, "cluster", "Connected")
        allowed = await call(hub, "list_pods", namespace="silent")

    command = (
        "kubectl create rolebinding mcphub-observer-hubs-hub -n silent"
        " --clusterrole=mcphub-observer --serviceaccount=hubs:hub"
    )
    assert command in shown["message"]
    assert not agreed.is_error
    assert command in refused.content[0].text
    assert refused.meta["mcphub/error"]["kind"] == "query_failed"
    assert described.is_error
    assert not allowed.is_error


async def test_a_namespace_outside_of_the_hubs_is_refused_before_it_is_asked_for(
    cluster: Cluster,
) -> None:
    files = cluster.files("outside", namespaces=["agreed"])

    async with hub_in_loop(files) as hub:
        answer = await call(hub, "list_pods", namespace="kube-system")
        missing = await call(hub, "describe", kind="Pod", name="absent")

    assert answer.meta["mcphub/error"]["kind"] == "rejected"
    assert "not found" in missing.content[0].text


async def test_without_namespaces_the_hubs_own_is_meant(cluster: Cluster) -> None:
    async with hub_in_loop(cluster.files("own")) as hub:
        shown = await wait_for_state(hub, "cluster", "Degraded", "Forbidden")
        async with hub.client() as client:
            tools = {tool.name for tool in await client.list_tools()}

    assert "-n hubs " in shown["message"]
    assert "cluster_list_pods" in tools
    assert "cluster_pod_logs" not in tools


async def test_a_renewed_token_is_used_without_a_restart(cluster: Cluster) -> None:
    files = cluster.files("renewed", namespaces=["agreed"])
    good = files.secrets["cluster"]["token"]
    files.write()

    async with hub_in_loop(files) as hub:
        await wait_for_state(hub, "cluster", "Connected")
        token = files.folder / "secrets" / "cluster" / "token"
        token.write_text(f"{good}x")
        await wait_for_state(hub, "cluster", "Unreachable", "BadCredentials")
        token.write_text(good)
        await wait_for_state(hub, "cluster", "Connected")


async def test_nodes_are_read_once_the_clusters_administrator_agrees(
    cluster: Cluster,
) -> None:
    node = {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {"name": "observed", "labels": {"secret": CANARY}},
        "spec": {"providerID": CANARY},
    }
    cluster.apply(node)
    files = cluster.files("nodes", namespaces=["agreed"], nodes=True)

    async with hub_in_loop(files) as hub:
        shown = await wait_for_state(hub, "cluster", "Degraded", "Forbidden")
        refused = await call(hub, "list_nodes")
        pods = await call(hub, "list_pods")
        described = await call(hub, "describe", kind="Node", name="observed")
        cluster.kubectl(
            *("create", "clusterrolebinding", NODES_BINDING),
            *("--clusterrole=mcphub-observer-nodes", "--serviceaccount=hubs:hub"),
        )
        await wait_for_state(hub, "cluster", "Connected")
        allowed = await call(hub, "list_nodes")

    command = (
        f"kubectl create clusterrolebinding {NODES_BINDING}"
        " --clusterrole=mcphub-observer-nodes --serviceaccount=hubs:hub"
    )
    assert command in shown["message"]
    assert command in refused.content[0].text
    assert not pods.is_error
    assert described.meta["mcphub/error"]["kind"] == "rejected"
    names = [each["name"] for each in allowed.structured_content["items"]]
    assert "observed" in names
    assert CANARY not in str(allowed)
    cluster.kubectl("delete", "node", "observed")
