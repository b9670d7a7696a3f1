"""Who decides how many replicas there are, on real pods with real metrics."""

import json

import pytest

from tests.support.hub_manifests import autoscaler, hub
from tests.support.installation import Installation

WIDE = {"minReplicas": 2, "maxReplicas": 5}
HIGH = {"minReplicas": 4, "maxReplicas": 6}
OPERATOR = "mcphub-operator"


@pytest.fixture(scope="module")
def team(installation: Installation):
    """A namespace with one hub, `counted`, of three replicas."""
    team = installation.open_namespace("replicas")
    team.apply(hub("counted", replicas=3))
    team.wait_settled("counted")
    return team


def count(team: Installation) -> int:
    return int(team.get("deployment", "counted")["spec"]["replicas"])


class TestWithoutAutoscaling:
    def test_scaling_the_deployment_is_corrected(self, team: Installation):
        with team.watched("deployment", "counted", ".spec.replicas") as counts:
            team.kubectl("scale", "deployment/counted", "--replicas=1")
            team.until("three again", lambda: count(team) == 3)

        assert counts == ["3", "1", "3"]


class TestAutoscaling:
    def test_on_changed_and_off_never_passes_through_another_count(
        self, team: Installation
    ):
        """Only the autoscaler and a person at the Deployment change the count.

        The autoscaler may take back what the person did, and does so in its own time:
        a write that it had begun may come after its object is gone.
        """
        with team.watched("deployment", "counted", ".spec.replicas") as counts:
            team.apply(hub("counted", replicas=3, autoscaling=WIDE))
            team.wait("mcphub/counted", "jsonpath={.status.summary.autoscaling}=2-5")
            team.until("it", lambda: team.exists("hpa", "counted"))
            team.wait("hpa/counted", "condition=AbleToScale")
            team.apply(hub("counted", replicas=3, autoscaling=HIGH))
            team.wait_replicas("counted", 4)
            team.kubectl("scale", "deployment/counted", "--replicas=5")
            assert OPERATOR not in managers_of_replicas(team)
            team.apply(hub("counted", replicas=3))
            team.until("no autoscaler", lambda: not team.exists("hpa", "counted"))
            team.wait_replicas("counted", 3)

        assert counts in (
            ["3", "4", "5", "3"],
            ["3", "4", "5", "4", "3"],
            ["3", "4", "5", "3", "4", "3"],
        )
        assert OPERATOR in managers_of_replicas(team)


def managers_of_replicas(team: Installation) -> set[str]:
    """Who claims the Deployment's number of replicas."""
    managed = ("deployment", "counted", "--show-managed-fields", "-o", "json")
    fields = json.loads(team.kubectl("get", *managed))["metadata"]["managedFields"]
    return {
        entry["manager"]
        for entry in fields
        if "f:replicas" in entry.get("fieldsV1", {}).get("f:spec", {})
    }


class TestAForeignAutoscaler:
    def test_on_the_deployment_is_reported_and_not_fought(self, team: Installation):
        team.apply(autoscaler("Deployment", "counted", least=4, most=6, percent=90))
        condition = team.wait_reason("counted", "Stalled", "Conflict")

        team.wait("deployment/counted", "jsonpath={.spec.replicas}=4")

        assert "HorizontalPodAutoscaler theirs" in condition["message"]
        ready = team.condition("counted", "Ready")
        assert (ready["status"], ready["reason"]) == ("True", "Conflict")

    def test_that_goes_gives_the_count_back(self, team: Installation):
        team.kubectl("delete", "hpa", "theirs")

        team.wait_replicas("counted", 3)

        team.wait("mcphub/counted", "condition=Stalled=False")


class TestAnAutoscalerOnTheHub:
    def test_scales_it_through_its_scale_subresource(
        self, team: Installation, stopwatch
    ):
        """By the pods' real CPU: any pod at rest uses more than one percent."""
        with stopwatch("HPA on the McpHub: first metrics, 3 -> 4 and ready"):
            team.apply(autoscaler("McpHub", "counted", least=3, most=4, percent=1))
            team.wait("mcphub/counted", "jsonpath={.spec.replicas}=4")
            team.wait_replicas("counted", 4)

        scaler = team.get("hpa", "theirs")["status"]
        assert scaler["currentMetrics"][0]["resource"]["name"] == "cpu"
        assert team.condition("counted", "Stalled")["status"] == "False"
        team.kubectl("delete", "hpa/theirs", "mcphub/counted")
