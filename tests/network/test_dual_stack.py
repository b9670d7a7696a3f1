"""A hub on a cluster whose nodes, pods and Services have addresses of both families."""

from collections.abc import Iterator

import pytest

from tests.network.reaching import Prober, Reached, targets_of
from tests.network.sessions import STATEFUL, check_forwarding
from tests.support.hub_manifests import hub
from tests.support.installation import Installation
from tools.quickstart.calls import call_tool

HUB = "both"
SQL = {"sql": "SELECT count(*) FROM orders"}
FAMILIES = pytest.mark.parametrize("family", [0, 1], ids=["IPv4", "IPv6"])


@pytest.fixture(scope="module")
def team(installation: Installation) -> Iterator[Installation]:
    team = installation.open_namespace("dual-stack")
    service = {"type": "NodePort", "ipFamilyPolicy": "RequireDualStack"}
    team.apply(hub(HUB, replicas=2, service=service, transports=STATEFUL))
    team.wait_settled(HUB)
    team.wait(f"mcphub/{HUB}", "condition=BackendsReachable")
    yield team
    team.delete_namespaces(team.namespace)


def node_addresses(team: Installation) -> list[str]:
    """A node's address of each family, as URLs have it."""
    found = team.items("nodes")[-1]["status"]["addresses"]
    addresses = [a["address"] for a in found if a["type"] == "InternalIP"]
    return [f"[{a}]" if ":" in a else a for a in addresses]


def node_port(team: Installation) -> int:
    return int(team.get("service", HUB)["spec"]["ports"][0]["nodePort"])


def test_both_services_have_both_families(team: Installation):
    services = [team.get("service", name)["spec"] for name in (HUB, f"{HUB}-pods")]

    assert [service["ipFamilies"] for service in services] == [["IPv4", "IPv6"]] * 2
    assert len(services[0]["clusterIPs"]) == 2


@FAMILIES
@pytest.mark.parametrize("path", ["mcp", "sse"])
def test_clients_are_served_through_the_node_port(
    team: Installation, family: int, path: str
):
    """On fresh connections, which land on any replica."""
    host, port, token = node_addresses(team)[family], node_port(team), team.token(HUB)

    answers = [
        call_tool(f"http://{host}:{port}/{path}", token, "postgres_query", SQL)
        for _ in range(6)
    ]

    assert all(answer.result["rows"][0][0] > 0 for answer in answers)


def test_pods_listen_on_both_ports_at_both_addresses(team: Installation):
    """Asked from inside: 8081 is for the operator and kubelets alone."""
    for pod in team.pods(HUB):
        targets = targets_of([pod], 8000) + targets_of([pod], 8081)

        Prober(team, pod["metadata"]["name"]).wait_until(Reached.OPEN, targets)


def test_a_replica_forwards_to_the_owner_of_a_session(team: Installation):
    check_forwarding(team, HUB)


def test_the_service_answers_in_the_cluster_at_both_addresses(
    team: Installation, probers: dict[str, Prober]
):
    addresses = team.get("service", HUB)["spec"]["clusterIPs"]

    probers["friend"].wait_until(Reached.OPEN, [(a, 8000) for a in addresses])


def test_the_url_has_the_first_family(team: Installation):
    url = team.get("mcphub", HUB)["status"]["endpoints"]["mcp"]

    nodes = team.items("nodes")
    firsts = {node["status"]["addresses"][0]["address"] for node in nodes}
    assert url in {f"http://{a}:{node_port(team)}/mcp" for a in firsts}


def test_the_operator_answers_at_both_addresses(
    installation: Installation, probers: dict[str, Prober]
):
    (pod, *_) = [
        one
        for one in installation.operator.items("pods")
        if one["metadata"]["name"].startswith("mcphub-operator-")
    ]

    probers["friend"].wait_until(Reached.OPEN, targets_of([pod], 8080))


def test_one_family_again_takes_the_other_address_away(team: Installation):
    patch = '{"spec":{"service":{"ipFamilyPolicy":"SingleStack"}}}'

    team.kubectl("patch", "mcphub", HUB, "--type=merge", "-p", patch)

    def families() -> list[str]:
        return list(team.get("service", HUB)["spec"]["ipFamilies"])

    team.until("one family", lambda: families() == ["IPv4"])
    assert len(team.get("service", HUB)["spec"]["clusterIPs"]) == 1
