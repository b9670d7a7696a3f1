"""A hub that reads the cluster it runs in, with a pod's own token.

The operator lets it read its own namespace; the owner of another one agrees by the
command in the hub's status.
"""

import shlex
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from fastmcp import Client
from fastmcp.client.transports import StreamableHttpTransport

from tests.support.hub_manifests import hub, secret
from tests.support.installation import Installation

HUB = "watcher"
OWN, OTHER = "observed", "silent"
CANARY = "canary-of-a-secret"


def build_deployment(name: str) -> dict[str, Any]:
    """Return a Deployment without pods, with passwords where people put them."""
    labels = {"app": name}
    container = {
        "name": "app",
        "image": "none",
        "args": [f"--password={CANARY}"],
        "env": [{"name": "PASSWORD", "value": CANARY}],
    }
    template = {"metadata": {"labels": labels}, "spec": {"containers": [container]}}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": name},
        "spec": {
            "replicas": 0,
            "selector": {"matchLabels": labels},
            "template": template,
        },
    }


@pytest.fixture(scope="module")
def team(installation: Installation) -> Installation:
    """A namespace with a hub that wants to read it, and another one."""
    team = installation.open_namespace(OWN)
    for namespace in (OTHER, OWN):
        place = installation.open_namespace(namespace)
        place.apply(secret("login", {"password": CANARY}), build_deployment("shop"))
    kind = {"namespaces": [OWN, OTHER], "logs": True}
    team.apply(hub(HUB, backends=[{"name": "cluster", "kubernetes": kind}]))
    return team


@asynccontextmanager
async def opened(team: Installation) -> AsyncIterator[Client[Any]]:
    with team.forwarded(f"service/{HUB}") as url:
        headers = {"Authorization": f"Bearer {team.token(HUB)}"}
        async with Client(StreamableHttpTransport(f"{url}/mcp", headers)) as client:
            yield client


def find_command(team: Installation) -> list[str]:
    """Return the command in the hub's status that gives the right."""
    message = team.get("mcphub", HUB)["status"]["backends"][0]["message"]
    words = shlex.split(message[message.index("kubectl create rolebinding") :])
    last = next(
        n for n, word in enumerate(words) if word.startswith("--serviceaccount")
    )
    return words[1 : last + 1]


async def test_reads_its_own_namespace_and_shows_no_secret(team: Installation):
    team.wait_reason(HUB, "Ready", "BackendsDown")
    (pod,) = [name.removeprefix("pod/") for name in team.pod_names(HUB)]
    described = {"kind": "Deployment", "name": "shop", "namespace": OWN}

    async with opened(team) as client:
        pods = await client.call_tool("cluster_list_pods", {"namespace": OWN})
        logs = await client.call_tool(
            "cluster_pod_logs", {"pod": pod, "namespace": OWN}
        )
        workloads = await client.call_tool("cluster_list_workloads", {"namespace": OWN})
        shown = await client.call_tool("cluster_describe", described)
        stolen = await client.call_tool_mcp(
            "cluster_describe", {**described, "kind": "Secret", "name": "login"}
        )

    answers = [each.content[0].text for each in (pods, logs, workloads, shown, stolen)]
    assert pod in answers[0]
    assert "serving" in answers[1]
    assert HUB in answers[2]
    assert "PASSWORD" in answers[3]
    assert stolen.is_error
    assert not [text for text in answers if CANARY in text or team.token(HUB) in text]


async def test_reads_another_namespace_once_its_owner_agrees(team: Installation):
    team.wait_reason(HUB, "Ready", "BackendsDown")
    row = team.kubectl("get", "mcphubs", "--no-headers", HUB).split()
    backend = team.get("mcphub", HUB)["status"]["backends"][0]
    async with opened(team) as client:
        refused = await client.call_tool_mcp(
            "cluster_list_workloads", {"namespace": OTHER}
        )

    team.kubectl(*find_command(team))
    team.wait_reason(HUB, "Ready", "Available")
    async with opened(team) as client:
        allowed = await client.call_tool("cluster_list_workloads")

    assert row[1:4] == ["1/1", "0/1", "BackendsDown"]
    assert (backend["state"], backend["reason"]) == ("Degraded", "Forbidden")
    assert refused.is_error
    assert f"-n {OTHER} " in refused.content[0].text
    assert {each["namespace"] for each in allowed.structured_content["items"]} == {
        OWN,
        OTHER,
    }


def test_the_right_goes_with_the_hub(team: Installation):
    assert team.exists("rolebinding", HUB)

    team.kubectl("delete", "mcphub", HUB)

    team.until("no RoleBinding", lambda: not team.exists("rolebinding", HUB))
