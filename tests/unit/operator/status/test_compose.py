"""The status of a hub in every state that it can be in."""

from dataclasses import replace

import pytest

from mcphub_operator.observed import (
    MissingKey,
    UserSecrets,
)
from mcphub_operator.status.compose import build_invalid_status
from mcphub_operator.status.condition_model import Reason, find_condition
from mcphub_operator.status.findings import Finding, Findings
from tests.support.observed import (
    LATER,
    NOW,
    POSTGRES,
    QDRANT,
    hub,
    observe,
)
from tests.support.statuses import (
    condition,
    pods,
    rolled,
    says,
    status_of,
    without_service,
)

NEW = observe(hub(replicas=2))
SECRET_MISSING = UserSecrets(missing=(MissingKey("creds"),))

STATES = [
    pytest.param(NEW, "False", "Progressing", "True", id="a new hub progresses"),
    pytest.param(
        rolled(NEW, ready=2), "True", "Available", "False", id="all replicas are ready"
    ),
    pytest.param(
        rolled(NEW, ready=1, total=2),
        "True",
        "Progressing",
        "True",
        id="one of two replicas is enough to serve",
    ),
    pytest.param(
        rolled(NEW, ready=0, total=2, reason="NewReplicaSetAvailable"),
        "False",
        "NoReadyReplica",
        "True",
        id="all replicas were lost",
    ),
    pytest.param(
        rolled(NEW, ready=0, total=2, reason="ProgressDeadlineExceeded"),
        "False",
        "NoReadyReplica",
        "False",
        id="no replica came in time",
    ),
    pytest.param(
        rolled(observe(hub(replicas=0)), ready=0),
        "False",
        "ScaledToZero",
        "False",
        id="zero replicas are settled",
    ),
    pytest.param(
        replace(rolled(NEW, ready=2), user_secrets=SECRET_MISSING),
        "True",
        "SecretMissing",
        "False",
        id="a Secret was taken away from a hub that serves on",
    ),
    pytest.param(
        replace(rolled(NEW, ready=0), user_secrets=SECRET_MISSING),
        "False",
        "SecretMissing",
        "False",
        id="a Secret was taken away and no replica is left",
    ),
    pytest.param(
        replace(NEW, user_secrets=SECRET_MISSING),
        "False",
        "SecretMissing",
        "False",
        id="a new hub waits for its Secret",
    ),
    pytest.param(
        replace(rolled(NEW, ready=2), foreign_autoscalers=("theirs",)),
        "True",
        "Conflict",
        "False",
        id="a foreign autoscaler has the replicas of a hub that serves",
    ),
    pytest.param(
        without_service(rolled(NEW, ready=2)),
        "False",
        "Conflict",
        "False",
        id="the Service is another owner's, so no client reaches the replicas",
    ),
    pytest.param(
        rolled(observe(hub(replicas=2, paused=True)), ready=2),
        "True",
        "PausedBySpec",
        "False",
        id="a paused hub serves and shows that it is paused",
    ),
    pytest.param(
        rolled(NEW, ready=2, total=3, reason="ProgressDeadlineExceeded"),
        "True",
        "RolloutStuck",
        "False",
        id="a rollout is stuck and the older pods serve",
    ),
]


@pytest.mark.parametrize(("observed", "ready", "reason", "reconciling"), STATES)
class TestReady:
    def test_tells_how_the_hub_is(self, observed, ready, reason, reconciling):
        status = status_of(observed)

        assert condition(status, "Ready") == (ready, reason)
        assert condition(status, "Reconciling")[0] == reconciling

    def test_goes_with_a_url_and_only_then(self, observed, ready, reason, reconciling):
        del reason, reconciling

        assert ("endpoints" in status_of(observed)) == (ready == "True")

    def test_is_the_same_when_told_again_later(
        self, observed, ready, reason, reconciling
    ):
        del ready, reason, reconciling
        first = status_of(observed)

        again = status_of(replace(observed, status=first, now=LATER))

        assert again == first


class TestAHubThatIsBeingDeleted:
    @pytest.mark.parametrize(("ready", "status"), [(1, "True"), (0, "False")])
    def test_says_what_it_waits_for_whether_it_serves_or_not(
        self, ready: int, status: str
    ):
        ends = replace(
            hub(replicas=1), is_being_deleted=True, finalizers=("a.example.com/b",)
        )

        told = status_of(rolled(observe(ends), ready=ready, total=1))

        assert condition(told, "Ready") == (status, "Deleting")
        assert (
            "a.example.com/b" in find_condition(told["conditions"], "Ready")["message"]
        )
        assert condition(told, "Stalled")[0] == "False"


class TestStalled:
    def test_names_everything_that_is_transient(self):
        findings = (
            Finding(Reason.CONFLICT, "one thing"),
            Finding(Reason.SECRET_MISSING, "another thing"),
        )

        status = status_of(NEW, Findings(findings))

        told = find_condition(status["conditions"], "Stalled")
        assert (told["status"], told["reason"]) == ("True", "Conflict")
        assert told["message"] == "one thing; another thing"

    def test_says_the_same_once(self):
        twice = (Finding(Reason.WRITE_DENIED, "Service a: denied"),) * 2

        status = status_of(NEW, Findings(twice))

        told = find_condition(status["conditions"], "Stalled")
        assert told["message"] == "Service a: denied"

    def test_is_not_for_what_is_tried_again(self):
        status = status_of(NEW, Findings((Finding(Reason.WRITE_FAILED, "timeout"),)))

        assert condition(status, "Stalled")[0] == "False"
        assert condition(status, "Reconciling") == ("True", "WriteFailed")

    def test_says_that_a_rollout_is_stuck(self):
        stuck = rolled(NEW, ready=1, total=2, reason="ProgressDeadlineExceeded")

        status = status_of(stuck)

        assert condition(status, "Stalled") == ("True", "RolloutStuck")
        assert condition(status, "Ready") == ("True", "RolloutStuck")

    def test_says_how_far_a_stuck_rollout_came_and_where_to_look(self):
        stuck = rolled(
            NEW, ready=2, total=3, updated=1, reason="ProgressDeadlineExceeded"
        )

        told = find_condition(status_of(stuck)["conditions"], "Stalled")

        assert told["message"] == (
            "2 of 2 replicas ready, 1 of 2 new pods started, and none became ready in"
            " time; `kubectl describe pods -l app.kubernetes.io/instance=team-data`"
            " shows why"
        )


class TestAnUpgrade:
    def test_that_stopped_says_which_hub_stopped_it(self):
        outcome = Findings(upgrade_waits=True, upgrade_stopped_by="ai/first")

        status = status_of(rolled(NEW, ready=2), outcome)

        assert condition(status, "Ready") == ("True", "UpgradePaused")
        assert condition(status, "Reconciling")[0] == "True"
        told = find_condition(status["conditions"], "Ready")
        assert "ai/first" in told["message"]

    def test_that_waits_for_its_turn_leaves_the_hub_available(self):
        status = status_of(rolled(NEW, ready=2), Findings(upgrade_waits=True))

        assert condition(status, "Ready")[0] == "True"
        assert condition(status, "Reconciling") == ("True", "UpgradePaused")


class TestTheSummary:
    def test_is_what_the_table_of_kubectl_shows(self):
        spec = {
            "autoscaling": {"minReplicas": 2, "maxReplicas": 10},
            "backends": [POSTGRES, QDRANT],
        }
        observed = rolled(observe(hub(**spec)), ready=2, total=3)
        observed = replace(observed, **pods(says("Connected")))

        summary = status_of(observed)["summary"]

        assert summary == {
            "replicas": "2/3",
            "backends": "1/2",
            "tools": "",
            "image": "mcphub-server:0.1.0",
            "autoscaling": "2-10",
        }


class TestAnUnreadableSpec:
    def test_is_told_and_the_rest_of_the_status_kept(self):
        before = status_of(rolled(observe(hub(replicas=1)), ready=1))

        status = build_invalid_status(before, 7, "spec.replicas: bad", NOW)

        assert condition(status, "Ready") == ("False", "InvalidSpec")
        assert condition(status, "Stalled") == ("True", "InvalidSpec")
        assert condition(status, "SecretsResolved") == ("True", "Resolved")
        assert status["observedGeneration"] == 7
        assert status["replicas"] == 1
        assert "endpoints" not in status

    def test_is_told_once(self):
        first = build_invalid_status({}, 7, "spec.replicas: bad", NOW)

        assert build_invalid_status(first, 7, "spec.replicas: bad", LATER) == first


def test_observed_generation_is_the_one_that_was_read():
    status = status_of(observe(hub(generation=4)))

    assert status["observedGeneration"] == 4
    assert {c["observedGeneration"] for c in status["conditions"]} == {4}


class TestAMessageThatQuotesTheAPIServer:
    """One fault is worded in many ways, and must not be written again for each."""

    def told(self, generation: int, words: str, before: dict | None = None) -> str:
        observed = observe(hub(generation=generation), status=before or {})
        findings = (Finding(Reason.WRITE_FAILED, words),)
        self.status = status_of(observed, Findings(findings))
        return find_condition(self.status["conditions"], "Reconciling")["message"]

    def test_stays_while_the_fault_and_the_hub_do(self):
        self.told(1, "field b is unknown")

        assert self.told(1, "field a is unknown", self.status) == "field b is unknown"

    def test_of_what_lasts_changes_with_its_subject(self):
        def told(words: str) -> str:
            findings = Findings((Finding(Reason.WRITE_DENIED, words),))
            self.status = status_of(observe(status=self.status), findings)
            return find_condition(self.status["conditions"], "Ready")["message"]

        self.status = {}
        told("Service a: quota: used 1")

        assert told("Service a: quota: used 2") == "Service a: quota: used 1"
        assert told("Deployment a: denied") == "Deployment a: denied"

    def test_changes_with_the_hub(self):
        self.told(1, "field b is unknown")

        assert self.told(2, "field a is unknown", self.status) == "field a is unknown"
