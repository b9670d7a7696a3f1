"""A hub that reads the cluster it runs in, with a pod's own token."""

import shlex

import pytest
from fastmcp import Client
from fastmcp.client.transports import StreamableHttpTransport

from tests.support.hub_manifests import hub
from tests.support.installation import Installation

HUB = "watcher"


@pytest.fixture(scope="module")
def team(installation: Installation):
    """A namespace with a hub that wants to read it."""
    team = installation.open_namespace("observed")
    kind = {"namespaces": ["observed"], "logs": True}
    team.apply(hub(HUB, backends=[{"name": "cluster", "kubernetes": kind}]))
    return team


def find_command(team: Installation) -> list[str]:
    """Return the command in the hub's status that gives the right."""
    message = team.get("mcphub", HUB)["status"]["backends"][0]["message"]
    words = shlex.split(message[message.index("kubectl create rolebinding") :])
    last = next(
        n for n, word in enumerate(words) if word.startswith("--serviceaccount")
    )
    return words[: last + 1]


async def test_reads_a_namespace_once_its_owner_agrees(team: Installation):
    team.wait_reason(HUB, "Ready", "BackendsDown")
    _, *command = find_command(team)

    team.kubectl(*command)
    team.wait_reason(HUB, "Ready", "Available")

    with team.forwarded(f"service/{HUB}") as url:
        headers = {"Authorization": f"Bearer {team.token(HUB)}"}
        async with Client(StreamableHttpTransport(f"{url}/mcp", headers)) as client:
            pods = await client.call_tool("cluster_list_pods")
            (pod,) = [name.removeprefix("pod/") for name in team.pod_names(HUB)]
            logs = await client.call_tool("cluster_pod_logs", {"pod": pod})
            workloads = await client.call_tool("cluster_list_workloads")

    assert pod in pods.content[0].text
    assert "serving" in logs.content[0].text
    assert HUB in workloads.content[0].text
    assert team.token(HUB) not in logs.content[0].text
