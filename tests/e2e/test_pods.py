"""What a hub says about its pods is what they get, on real nodes.

And what it does not say any more is taken away.
"""

import pytest

from tests.support.hub_manifests import hub
from tests.support.installation import Installation, selector_of

POD = {
    "nodeSelector": {"kubernetes.io/os": "linux"},
    "tolerations": [
        {
            "key": "node-role.kubernetes.io/control-plane",
            "operator": "Exists",
            "effect": "NoSchedule",
        }
    ],
    "labels": {"team": "data"},
    "annotations": {"example.com/owner": "data-team"},
}
SECTIONS = {
    "disruptionBudget": {"maxUnavailable": 1},
    "networkPolicy": {"enabled": True},
}


@pytest.fixture(scope="module")
def team(installation: Installation):
    """A namespace with one hub, `shaped`, of two replicas."""
    team = installation.open_namespace("pods")
    team.apply(hub("shaped", replicas=2, pod=POD, **SECTIONS))
    team.wait_settled("shaped")
    return team


def templates(team: Installation) -> set[str]:
    """The pod templates that the hub's Deployment has had."""
    return team.names("replicasets", selector_of("shaped"))


class TestPods:
    def test_have_what_the_hub_asks_for(self, team: Installation):
        for pod in team.pods("shaped"):
            assert pod["metadata"]["labels"].items() >= POD["labels"].items()
            assert pod["metadata"]["annotations"].items() >= POD["annotations"].items()
            assert pod["spec"]["nodeSelector"] == POD["nodeSelector"]
            assert POD["tolerations"][0] in pod["spec"]["tolerations"]

    def test_are_on_different_nodes(self, team: Installation):
        nodes = {pod["spec"]["nodeName"] for pod in team.pods("shaped")}

        assert len(nodes) == 2

    def test_run_restricted_and_without_a_token(self, team: Installation):
        """The namespace's strictest Pod Security level has nothing to say of them."""
        level = "pod-security.kubernetes.io/enforce=restricted"

        output = team.kubectl("label", "namespace", "pods", level, "--overwrite")

        assert "violate" not in output
        (pod, _) = team.pods("shaped")
        assert pod["spec"]["automountServiceAccountToken"] is False

    def test_leave_the_endpoints_before_they_are_told_to_end(self, team: Installation):
        (pod, _) = team.pods("shaped")
        (container,) = pod["spec"]["containers"]

        waits = container["lifecycle"]["preStop"]["sleep"]["seconds"]

        assert 0 < waits < pod["spec"]["terminationGracePeriodSeconds"]


class TestARestart:
    def test_is_asked_for_by_an_annotation_and_rolls_once(
        self, team: Installation, stopwatch
    ):
        before, pods = templates(team), team.pod_names("shaped")

        with stopwatch("restart annotation -> both pods replaced and ready"):
            team.kubectl("annotate", "mcphub/shaped", "mcp.bigtorig.com/restart=one")
            team.until("new pods", lambda: not team.pod_names("shaped") & pods)
            team.wait_settled("shaped")

        assert len(templates(team) - before) == 1


class TestAPause:
    def test_stops_writes_and_not_the_status(self, team: Installation):
        team.kubectl("patch", "mcphub", "shaped", *merge('{"spec":{"paused":true}}'))
        team.wait("mcphub/shaped", "condition=Paused")
        team.kubectl("scale", "mcphub/shaped", "--replicas=1")
        team.kubectl("scale", "deployment/shaped", "--replicas=3")

        team.wait("mcphub/shaped", "jsonpath={.status.readyReplicas}=3")

        assert team.get("deployment", "shaped")["spec"]["replicas"] == 3
        assert team.condition("shaped", "Ready")["status"] == "True"

    def test_that_ends_lets_the_spec_rule_again(self, team: Installation):
        team.kubectl("patch", "mcphub", "shaped", *merge('{"spec":{"paused":null}}'))

        team.wait_replicas("shaped", 1)

        assert team.condition("shaped", "Paused")["status"] == "False"


class TestASectionThatIsRemoved:
    @pytest.mark.parametrize(
        ("section", "change", "child"),
        [
            pytest.param(
                "disruptionBudget",
                '{"spec":{"disruptionBudget":{"enabled":false}}}',
                "poddisruptionbudget",
                id="disruption budget",
            ),
            pytest.param(
                "networkPolicy",
                '{"spec":{"networkPolicy":{"enabled":false}}}',
                "networkpolicy",
                id="network policy",
            ),
        ],
    )
    def test_takes_its_child_along_and_rolls_nothing(
        self, team: Installation, section, change, child
    ):
        assert team.exists(child, "shaped"), section
        pods = team.pod_names("shaped")

        team.kubectl("patch", "mcphub", "shaped", *merge(change))

        team.until("its end", lambda: not team.exists(child, "shaped"))
        team.wait_settled("shaped")
        assert team.pod_names("shaped") == pods


def merge(change: str) -> tuple[str, ...]:
    return ("--type=merge", "-p", change)
