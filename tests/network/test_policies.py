"""The NetworkPolicies of hubs and of the operator, before an engine that enforces them.

A connection that a policy does not admit stays unanswered; one that it admits is open,
or refused by a pod that does not listen. Each is tried over IPv4 and over IPv6.
"""

from collections.abc import Iterator

import pytest

from tests.network.reaching import (
    CLOSED,
    LISTENING,
    Prober,
    Reached,
    targets_of,
)
from tests.network.sessions import MANAGEMENT, STATEFUL, check_forwarding
from tests.support.hub_manifests import hub
from tests.support.installation import Installation
from tools.quickstart.calls import call_tool

HUB = "guarded"
OPEN_HUB = "open"
MCP = 8000
FRIENDS = {
    "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "friends"}}
}


@pytest.fixture(scope="module")
def team(installation: Installation) -> Iterator[Installation]:
    """A hub for clients of one namespace, and one for all."""
    team = installation.open_namespace("policies")
    policy = {"ingressFrom": [FRIENDS]}
    team.apply(
        hub(HUB, replicas=2, networkPolicy=policy, transports=STATEFUL),
        hub(OPEN_HUB, service={"type": "NodePort"}),
    )
    for name in (HUB, OPEN_HUB):
        team.wait_settled(name)
    yield team
    team.delete_namespaces(team.namespace)


class TestWhatTheHubNeeds:
    def test_probes_polls_dns_and_databases_pass(self, team: Installation):
        """Kubelets find it ready, the operator asks it, and it asks its database."""
        for name in (HUB, OPEN_HUB):
            team.wait(f"mcphub/{name}", "condition=BackendsReachable")

    def test_a_replica_forwards_to_the_owner_of_a_session(self, team: Installation):
        check_forwarding(team, HUB)


class TestWhoMayConnect:
    def test_clients_of_an_admitted_namespace(
        self, team: Installation, probers: dict[str, Prober]
    ):
        targets = targets_of(team.pods(HUB), MCP)

        probers["friend"].wait_until(Reached.OPEN, targets)

        assert {*probers["stranger"].reach(targets)} == {Reached.SILENT}

    def test_clients_of_any_namespace_where_none_is_named(
        self, team: Installation, probers: dict[str, Prober]
    ):
        probers["stranger"].wait_until(
            Reached.OPEN, targets_of(team.pods(OPEN_HUB), MCP)
        )

    def test_clients_through_a_node_port(self, team: Installation):
        port = team.get("service", OPEN_HUB)["spec"]["ports"][0]["nodePort"]
        url = f"http://{team.node_address()}:{port}/mcp"

        answer = call_tool(url, team.token(OPEN_HUB), "health_check", {})

        assert answer.result["status"] == "healthy"

    def test_the_operator_alone_at_the_management_port(
        self, team: Installation, probers: dict[str, Prober]
    ):
        """Its labels are not enough: they must be those of a pod in its namespace."""
        targets = targets_of([*team.pods(HUB), *team.pods(OPEN_HUB)], MANAGEMENT)

        probers["twin"].wait_until(Reached.OPEN, targets)

        for name in ("friend", "stranger", "pretender"):
            assert {*probers[name].reach(targets)} == {Reached.SILENT}

    def test_a_range_of_ipv6_admits_that_address_and_no_other(
        self, team: Installation, probers: dict[str, Prober]
    ):
        friend, stranger = probers["friend"], probers["stranger"]
        block = {"ipBlock": {"cidr": f"{friend.addresses[1]}/128"}}
        team.apply(hub("ranged", networkPolicy={"ingressFrom": [block]}))
        team.wait_settled("ranged")
        ipv4, ipv6 = targets_of(team.pods("ranged"), MCP)

        friend.wait_until(Reached.OPEN, [ipv6])

        assert friend.reach([ipv4]) == [Reached.SILENT]
        assert {*stranger.reach([ipv4, ipv6])} == {Reached.SILENT}


class TestWhatAHubMayReach:
    @pytest.fixture
    def inside(self, team: Installation) -> Prober:
        return Prober(team, team.pods(HUB)[0]["metadata"]["name"])

    def test_the_ports_of_its_backends_at_any_address(
        self, inside: Prober, probers: dict[str, Prober]
    ):
        """Policies know no names: docs/security.md says so."""
        stranger = probers["stranger"].addresses
        postgres, other = LISTENING

        inside.wait_until(Reached.OPEN, [(a, postgres) for a in stranger])

        ports = (other, CLOSED)
        blocked = inside.reach([(a, port) for a in stranger for port in ports])
        assert {*blocked} == {Reached.SILENT}

    def test_other_replicas_at_the_port_for_clients_alone(
        self, team: Installation, inside: Prober
    ):
        others = [p for p in team.pods(HUB) if p["metadata"]["name"] != inside.pod]

        inside.wait_until(Reached.OPEN, targets_of(others, MCP))

        assert {*inside.reach(targets_of(others, MANAGEMENT))} == {Reached.SILENT}

    def test_no_other_hub(self, team: Installation, inside: Prober):
        targets = targets_of(team.pods(OPEN_HUB), MCP)

        assert {*inside.reach(targets)} == {Reached.SILENT}


class TestTheOperator:
    def test_is_reached_at_probes_and_metrics_alone(self, probers: dict[str, Prober]):
        """A pod with its labels has its policy, and listens on a second port."""
        addresses = probers["twin"].addresses
        postgres, probes = LISTENING

        probers["stranger"].wait_until(Reached.OPEN, [(a, probes) for a in addresses])

        ports = (postgres, CLOSED)
        tried = probers["stranger"].reach([(a, p) for a in addresses for p in ports])
        assert {*tried} == {Reached.SILENT}


def test_without_a_policy_a_closed_port_is_refused(probers: dict[str, Prober]):
    """The control: silence is a policy's doing."""
    addresses = probers["friend"].addresses

    reached = probers["stranger"].reach([(a, CLOSED) for a in addresses])

    assert {*reached} == {Reached.REFUSED}
