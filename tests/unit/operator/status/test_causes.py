"""When the status names a cause, and when it waits before it does."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from mcphub_operator.cache.children import build_cached
from mcphub_operator.observed import Node, Observed, Pod
from mcphub_operator.resources.manifest import ChildId
from mcphub_operator.status.autoscaler import find_metrics_seconds
from mcphub_operator.status.causes import (
    DEADLINE_SECONDS,
    find_overdue_seconds,
    find_unready_seconds,
)
from mcphub_operator.status.compose import find_progress
from mcphub_operator.status.condition_model import Reason, find_condition, format_time
from mcphub_operator.status.controllers import SILENT_SECONDS, find_silence_seconds
from mcphub_operator.status.ended_pods import EndedPod
from mcphub_operator.status.findings import Finding, Findings
from mcphub_operator.status.pod_faults import PodFault
from mcphub_operator.status.pod_waits import PodWait, VolumeSource
from mcphub_operator.status.transitions import find_transitions
from mcphub_operator.status.unready_pods import HINT_SECONDS, RECENT_SECONDS
from tests.support.observed import NOW, PLATFORM, hub, observe, with_deployment
from tests.support.statuses import condition, rolled, status_of

METRICS_SECONDS = PLATFORM.metrics_grace_seconds
AUTOSCALER = ChildId("HorizontalPodAutoscaler", "team-data")
AT_ONCE, SOON, LATE = (timedelta(seconds=s) for s in (0, 60, METRICS_SECONDS))


def autoscaled(**active: str) -> Observed:
    """A complete hub whose autoscaler reports this."""
    observed = rolled(observe(hub(autoscaling={"minReplicas": 2})), ready=2)
    item = observed.children[AUTOSCALER].read()
    item["status"] = {"conditions": [{"type": "ScalingActive"} | active]}
    children = {**observed.children, AUTOSCALER: build_cached(item)}
    return replace(observed, children=children)


def unmetered(since: datetime | None = NOW) -> Observed:
    times = {} if since is None else {"lastTransitionTime": format_time(since)}
    return autoscaled(status="False", reason="FailedGetResourceMetric", **times)


class TestMissingMetrics:
    @pytest.mark.parametrize(
        ("waited", "reason"),
        [
            pytest.param(AT_ONCE, "Available", id="new pods have none yet"),
            pytest.param(SOON, "Available", id="nor after a minute"),
            pytest.param(LATE, "MetricsUnavailable", id="later it is a fault"),
        ],
    )
    def test_count_once_they_have_been_missing_for_long(
        self, waited: timedelta, reason: str
    ):
        status = status_of(replace(unmetered(), now=NOW + waited))

        assert condition(status, "Ready") == ("True", reason)

    def test_count_at_once_if_no_time_is_told(self):
        assert condition(status_of(unmetered(None)), "Ready")[1] == "MetricsUnavailable"

    @pytest.mark.parametrize(
        ("observed", "seconds"),
        [
            pytest.param(unmetered(), METRICS_SECONDS, id="from the first failure"),
            pytest.param(
                unmetered(NOW - SOON), METRICS_SECONDS - 60, id="what is left"
            ),
            pytest.param(unmetered(NOW - LATE), 0, id="nothing is left"),
            pytest.param(
                unmetered(NOW + SOON), METRICS_SECONDS, id="a clock that is ahead"
            ),
            pytest.param(
                autoscaled(status="True", reason="ValidMetricFound"), 0, id="there"
            ),
            pytest.param(
                autoscaled(status="False", reason="ScalingDisabled"), 0, id="not asked"
            ),
            pytest.param(observe(), 0, id="no autoscaler"),
        ],
    )
    def test_are_waited_for_so_long(self, observed: Observed, seconds: float):
        assert find_metrics_seconds(observed) == seconds


def test_a_container_without_a_request_is_told_instead_of_missing_metrics():
    """Such as one that a service mesh injects."""
    words = (
        "the HPA was unable to compute the replica count: failed to get cpu"
        " utilization: missing request for cpu in container istio-proxy of Pod"
        " team-data-6b9f8-x2x4z"
    )
    failed = {"status": "False", "reason": "FailedGetResourceMetric"}

    status = status_of(autoscaled(**failed, message=words))

    told = message(status, "Ready")
    assert condition(status, "Ready") == ("True", "AutoscalerFailed")
    assert "container istio-proxy requests no cpu" in told
    assert "x2x4z" not in told
    assert "metrics-server" not in told


ADDRESS_SECONDS = PLATFORM.address_grace_seconds


class TestAMissingAddress:
    """New load balancers have none for a while."""

    def wait(self, seconds: float) -> dict[str, Any]:
        service = ChildId("Service", "team-data")
        balanced = hub(service={"type": "LoadBalancer"}, replicas=1)
        observed = rolled(observe(balanced), ready=1)
        item = observed.children[service].read()
        apply = {"manager": "mcphub-operator", "operation": "Apply"}
        item["metadata"]["managedFields"] = [apply | {"time": format_time(NOW)}]
        children = {**observed.children, service: build_cached(item)}
        later = NOW + timedelta(seconds=seconds)
        return status_of(replace(observed, children=children, now=later))

    def test_is_told_at_once_and_as_no_warning(self):
        status = self.wait(1)

        assert condition(status, "Ready") == ("True", "AddressPending")
        assert condition(status, "Stalled") == ("False", "NotStalled")
        told = find_transitions({}, status)
        assert [(t.reason, t.warning) for t in told] == [("AddressPending", False)]

    def test_stalls_and_warns_when_it_lasts(self):
        status = self.wait(ADDRESS_SECONDS)

        assert condition(status, "Stalled") == ("True", "AddressPending")
        told = find_transitions(self.wait(1), status)
        assert [(t.reason, t.warning) for t in told] == [("AddressPending", True)]


def stalled_by(
    reason: str, generation: int, observed: Observed | None = None
) -> Observed:
    told = {
        "type": "Stalled",
        "status": "True",
        "reason": reason,
        "observedGeneration": generation,
    }
    settled = {"type": "Reconciling", "status": "False"}
    start = observed or observe(hub(generation=2))
    return replace(start, status={"conditions": [told, settled]})


@pytest.mark.parametrize(
    ("observed", "seconds"),
    [
        pytest.param(stalled_by("CrashLooping", 2), 0, id="stalled stays stalled"),
        pytest.param(
            stalled_by("CrashLooping", 1),
            DEADLINE_SECONDS,
            id="another spec gets its time: it may be the remedy",
        ),
        pytest.param(
            stalled_by("SecretMissing", 2),
            DEADLINE_SECONDS,
            id="what a Secret held up begins when it is there",
        ),
    ],
)
def test_a_hub_with_a_cause_has_so_long_until_it_is_stalled(
    observed: Observed, seconds: float
):
    assert find_overdue_seconds(observed) == seconds


def test_a_remedy_is_not_called_stalled_while_it_rolls_out():
    fault = PodFault(Reason.CRASH_LOOPING, "pod a ends with exit code 3")
    broken = rolled(observe(hub(generation=2, replicas=1)), ready=0, total=1)
    broken = replace(broken, pods=(Pod("a", "a", fault=fault),))

    status = status_of(stalled_by("CrashLooping", 1, broken))

    assert condition(status, "Ready") == ("False", "CrashLooping")
    assert condition(status, "Stalled") == ("False", "NotStalled")
    assert condition(status, "Reconciling")[0] == "True"


class TestAHubThatComesBackFromZero:
    """Its Deployment was finished with zero pods, and is called so still."""

    def start(self, reason: str, *, ready: str = "False", **parts: Any) -> str:
        observed = rolled(
            observe(hub(replicas=1)), ready=0, total=1, reason="NewReplicaSetAvailable"
        )
        told = {"type": "Ready", "status": ready, "reason": reason}
        before = {"conditions": [told]}
        status = status_of(replace(observed, status=before, **parts))
        return str((find_condition(status["conditions"], "Ready") or {})["reason"])

    def test_progresses(self):
        assert self.start("ScaledToZero") == "Progressing"
        assert self.start("Progressing") == "Progressing"

    def test_has_lost_its_replicas_if_it_served(self):
        assert self.start("Available", ready="True") == "NoReadyReplica"
        assert self.start("Progressing", ready="True") == "NoReadyReplica"

    def test_has_no_replica_if_none_came_in_time(self):
        observed = rolled(
            observe(hub(replicas=1)), ready=0, total=1, reason="NewReplicaSetAvailable"
        )
        zero = {"type": "Ready", "status": "False", "reason": "ScaledToZero"}
        first = status_of(replace(observed, status={"conditions": [zero]}))
        late = NOW + timedelta(seconds=DEADLINE_SECONDS)

        status = status_of(replace(observed, status=first, now=late))

        assert condition(status, "Ready") == ("False", "NoReadyReplica")


def waiting_since(seconds: float) -> Pod:
    since = format_time(NOW - timedelta(seconds=seconds))
    return Pod("b", "b", wait=PodWait("pod b waits", since), node="worker-1")


def scaled_up(*pods: Pod, ready: int = 1, **parts: Any) -> dict[str, Any]:
    """A hub whose last rollout was finished, and which lacks a replica."""
    observed = rolled(
        observe(hub(replicas=2)), ready=ready, total=2, reason="NewReplicaSetAvailable"
    )
    return status_of(replace(observed, pods=pods, **parts))


def message(status: dict[str, Any], kind: str) -> str:
    return str((find_condition(status["conditions"], kind) or {})["message"])


class TestAPodThatIsNotReady:
    """Kubernetes calls the rollout finished, and sets such a pod no deadline."""

    def test_progresses_at_first(self):
        status = scaled_up(waiting_since(1))

        assert condition(status, "Ready") == ("True", "Progressing")
        assert "pod b waits" not in message(status, "Ready")

    def test_is_named_soon(self):
        status = scaled_up(waiting_since(HINT_SECONDS))

        assert condition(status, "Ready") == ("True", "Progressing")
        assert message(status, "Ready") == "1 of 2 replicas ready; pod b waits"
        assert condition(status, "Stalled") == ("False", "NotStalled")

    def test_stalls_the_hub_later(self):
        status = scaled_up(waiting_since(DEADLINE_SECONDS))

        assert condition(status, "Ready") == ("True", "RolloutStuck")
        assert condition(status, "Stalled") == ("True", "RolloutStuck")
        assert condition(status, "Reconciling")[0] == "False"
        assert message(status, "Stalled") == "1 of 2 replicas ready; pod b waits"

    def test_is_named_at_once_if_no_other_serves(self):
        status = scaled_up(waiting_since(0), ready=0)

        assert condition(status, "Ready") == ("False", "NoReadyReplica")
        assert message(status, "Ready") == "0 of 2 replicas ready; pod b waits"

    def test_of_a_rollout_has_the_time_that_kubernetes_gives_it(self):
        observed = rolled(observe(hub(replicas=2)), ready=1, total=2)
        observed = replace(observed, pods=(waiting_since(DEADLINE_SECONDS),))

        assert condition(status_of(observed), "Stalled")[0] == "False"

    def test_that_has_a_fault_is_judged_by_that(self):
        fault = PodFault(Reason.CRASH_LOOPING, "pod b ends with exit code 3")
        status = scaled_up(replace(waiting_since(DEADLINE_SECONDS), fault=fault))

        assert condition(status, "Ready") == ("True", "CrashLooping")
        assert condition(status, "Stalled")[0] == "False"

    @pytest.mark.parametrize(
        ("waited", "seconds"),
        [
            (0, HINT_SECONDS),
            (HINT_SECONDS, DEADLINE_SECONDS - HINT_SECONDS),
            (DEADLINE_SECONDS, 0),
        ],
    )
    def test_is_looked_at_again_when_that_changes(self, waited: float, seconds: float):
        observed = rolled(observe(hub(replicas=2)), ready=1, total=2)
        observed = replace(observed, pods=(waiting_since(waited),))

        progress = find_progress(observed)
        assert find_unready_seconds(observed, progress) == seconds


class TestALostNode:
    LOST = (Node("worker-1", ready=False), Node("worker-2", ready=True))

    def test_is_told_at_once(self):
        status = scaled_up(waiting_since(0), nodes=self.LOST)

        assert condition(status, "Ready") == ("True", "NodeNotReady")
        assert "node worker-1 of pod b is not ready" in message(status, "Ready")

    def test_is_told_when_no_replica_is_left(self):
        status = scaled_up(waiting_since(0), ready=0, nodes=self.LOST)

        assert condition(status, "Ready") == ("False", "NodeNotReady")

    def test_that_was_deleted_is_told_once_the_watch_must_know_it(self):
        others = (Node("worker-2", ready=True),)

        soon = scaled_up(waiting_since(0), nodes=others)
        late = scaled_up(waiting_since(HINT_SECONDS), nodes=others)

        assert condition(soon, "Ready")[1] == "Progressing"
        assert condition(late, "Ready")[1] == "NodeNotReady"
        assert "does not exist any more" in message(late, "Ready")

    def test_is_no_matter_of_pods_elsewhere_or_on_their_way(self):
        elsewhere = replace(waiting_since(0), node="worker-2")
        gone = replace(waiting_since(0), terminating=True)

        status = scaled_up(elsewhere, gone, nodes=self.LOST)

        assert condition(status, "Ready") == ("True", "Progressing")


class TestAnAutoscalerThatCannotScale:
    @pytest.mark.parametrize(
        ("kind", "reason"),
        [
            pytest.param("ScalingActive", "AmbiguousSelector", id="two autoscalers"),
            pytest.param("AbleToScale", "FailedUpdateScale", id="a write was denied"),
            pytest.param("AbleToScale", "FailedGetScale", id="no number to begin with"),
            pytest.param("ScalingActive", "InvalidSelector", id="a bad selector"),
        ],
    )
    def test_is_told_in_its_words(self, kind: str, reason: str):
        failed = {"type": kind, "status": "False", "reason": reason, "message": "why"}

        status = status_of(autoscaled(**failed))

        assert condition(status, "Ready") == ("True", "AutoscalerFailed")
        assert message(status, "Ready").endswith("does not scale: why")


class TestAWriteThatFails:
    """Such as one for which an admission webhook gives no answer."""

    FAILED = Findings((Finding(Reason.WRITE_FAILED, "failed calling webhook"),))

    def fail(self, before: dict[str, Any], seconds: float = 0.0) -> dict[str, Any]:
        observed = rolled(observe(hub(replicas=1)), ready=1)
        now = NOW + timedelta(seconds=seconds)
        return status_of(replace(observed, status=before, now=now), self.FAILED)

    def test_once_is_mended_by_the_next_try(self):
        assert condition(self.fail({}), "Ready") == ("True", "Available")

    def test_again_is_told(self):
        status = self.fail(self.fail({}))

        assert condition(status, "Ready") == ("True", "WriteFailed")
        assert message(status, "Ready") == "failed calling webhook"
        assert condition(status, "Reconciling") == ("True", "WriteFailed")
        assert condition(status, "Stalled")[0] == "False"

    def test_for_long_stalls_the_hub_and_stays(self):
        late = self.fail(self.fail({}), DEADLINE_SECONDS)

        assert condition(late, "Stalled") == ("True", "WriteFailed")
        assert condition(late, "Reconciling")[0] == "False"
        assert self.fail(late, DEADLINE_SECONDS + 60) == late


class TestAnAutoscaler:
    def test_at_its_maximum_is_told_and_is_no_fault(self):
        limited = {"type": "ScalingLimited", "reason": "TooManyReplicas"}

        status = status_of(autoscaled(**limited, status="True"))

        assert condition(status, "Ready") == ("True", "Available")
        assert message(status, "Ready") == (
            "2 of 2 replicas ready; the autoscaler wants more than"
            " spec.autoscaling.maxReplicas"
        )

    def test_at_its_minimum_is_as_usual(self):
        limited = {"type": "ScalingLimited", "reason": "TooFewReplicas"}

        status = status_of(autoscaled(**limited, status="True"))

        assert message(status, "Ready") == "2 of 2 replicas ready"

    def test_does_not_scale_from_zero(self):
        observed = rolled(observe(hub(autoscaling={"minReplicas": 2})), ready=0)

        status = status_of(with_deployment(observed, scale_to_zero))

        assert condition(status, "Ready") == ("False", "ScaledToZero")
        assert "kubectl scale deployment/team-data" in message(status, "Ready")


def scale_to_zero(item: dict[str, Any]) -> None:
    item["spec"]["replicas"] = 0


class TestWhatKeepsPodsFromBeingCreated:
    REFUSED = 'Failed to create new replica set "team-data-1": exceeded quota: few'

    def test_may_be_that_their_replica_set_is_refused(self):
        """Then the Deployment has no ReplicaFailure, and no pod says anything."""

        def refuse(item: dict[str, Any]) -> None:
            item["status"]["conditions"] = [
                {
                    "type": "Progressing",
                    "status": "False",
                    "reason": "ReplicaSetCreateError",
                    "message": self.REFUSED,
                }
            ]

        observed = rolled(observe(hub(replicas=1)), ready=0)

        status = status_of(with_deployment(observed, refuse))

        assert condition(status, "Ready") == ("False", "PodsRefused")
        assert "exceeded quota: few" in message(status, "Ready")

    def test_is_not_taken_for_a_controller_that_does_nothing(self):
        """It writes no generation that it has looked at while it may create nothing."""

        def refuse(item: dict[str, Any]) -> None:
            item["metadata"] |= {"managedFields": [{"time": format_time(NOW)}]}
            item["metadata"]["generation"] = 2
            failed = {"type": "ReplicaFailure", "status": "True", "message": "no"}
            item["status"]["conditions"] = [failed]

        observed = with_deployment(rolled(observe(hub(replicas=1)), ready=0), refuse)
        later = NOW + timedelta(seconds=2 * SILENT_SECONDS)

        status = status_of(replace(observed, now=later))

        assert condition(status, "Ready") == ("False", "PodsRefused")


class TestAnImageThatCannotBePulled:
    def test_may_lack_the_secret_that_the_spec_names(self):
        fault = PodFault(Reason.IMAGE_PULL_FAILED, "image x cannot be pulled")
        observed = rolled(observe(hub(replicas=1)), ready=0, total=1)
        pods = (Pod("a", "a", fault=fault),)

        status = status_of(replace(observed, pods=pods, pull_faults=("no login",)))

        assert "image x cannot be pulled; no login" in message(status, "Ready")


class TestAControllerThatDoesNothing:
    """Such as kube-controller-manager when it is down."""

    def overlook(self, kind: str, seconds: float) -> Observed:
        """The hub's child of a kind was changed so long ago, and nothing followed."""
        observed = rolled(observe(hub(autoscaling={"minReplicas": 2})), ready=2)
        child = ChildId(kind, "team-data")
        item = observed.children[child].read()
        item["metadata"] |= {"managedFields": [{"time": format_time(NOW)}]}
        item["metadata"]["generation"] = 2
        children = {**observed.children, child: build_cached(item)}
        later = NOW + timedelta(seconds=seconds)
        return replace(observed, children=children, now=later)

    @pytest.mark.parametrize("kind", ["Deployment", "HorizontalPodAutoscaler"])
    def test_is_told_after_a_minute(self, kind: str):
        status = status_of(self.overlook(kind, SILENT_SECONDS))

        assert condition(status, "Ready") == ("True", "ControllerUnavailable")
        assert f"{kind} team-data" in message(status, "Ready")

    def test_may_take_some_time(self):
        soon = self.overlook("Deployment", SILENT_SECONDS - 1)

        assert condition(status_of(soon), "Ready") == ("True", "Progressing")
        assert find_silence_seconds(soon, find_progress(soon)) == 1

    def test_stalls_the_hub_later(self):
        first = self.overlook("Deployment", SILENT_SECONDS)
        late = self.overlook("Deployment", SILENT_SECONDS + DEADLINE_SECONDS)

        status = status_of(replace(late, status=status_of(first)))

        assert condition(status, "Stalled") == ("True", "ControllerUnavailable")

    def test_is_not_told_of_one_that_did_its_work(self):
        observed = rolled(observe(hub(replicas=2)), ready=2)

        assert condition(status_of(observed), "Ready") == ("True", "Available")
        assert find_silence_seconds(observed, find_progress(observed)) == 0

    def lose_pods(self, unchanged_seconds: float | None, left: int = 1) -> Observed:
        """Two pods are counted as ready; some have been gone for so long."""
        observed = rolled(observe(hub(replicas=2)), ready=2)
        pods = tuple(Pod(f"p{n}", f"p{n}", ready=True) for n in range(left))
        return replace(observed, pods=pods, pods_unchanged_seconds=unchanged_seconds)

    def test_is_told_when_a_pod_has_been_gone_for_a_minute(self):
        status = status_of(self.lose_pods(SILENT_SECONDS))

        assert condition(status, "Ready") == ("True", "ControllerUnavailable")
        assert "says that 2 pods are ready" in message(status, "Ready")
        assert status["readyReplicas"] == 1
        assert status["summary"]["replicas"] == "1/2"

    def test_leaves_no_hub_available_whose_pods_are_all_gone(self):
        status = status_of(self.lose_pods(SILENT_SECONDS, left=0))

        assert condition(status, "Ready") == ("False", "ControllerUnavailable")

    def test_may_take_some_time_to_count(self):
        soon = self.lose_pods(SILENT_SECONDS - 1)

        assert condition(status_of(soon), "Ready") == ("True", "Available")
        assert find_silence_seconds(soon, find_progress(soon)) == 1

    def test_is_not_told_where_no_pod_was_ever_seen(self):
        assert condition(status_of(self.lose_pods(None)), "Ready")[1] == "Available"


class TestAPodThatHasEnded:
    EVICTED = EndedPod(
        format_time(NOW), "a", "a", Reason.PODS_EVICTED, "pod a was evicted: low"
    )

    def end(self, *pods: Pod, ready: int = 1, seconds: float = 0) -> dict[str, Any]:
        later = NOW + timedelta(seconds=seconds)
        return scaled_up(*pods, ready=ready, ended_pod=self.EVICTED, now=later)

    def test_is_told_while_replicas_are_missing(self):
        status = self.end()

        assert condition(status, "Ready") == ("True", "PodsEvicted")
        assert (
            message(status, "Ready") == "1 of 2 replicas ready; pod a was evicted: low"
        )

    def test_is_told_if_no_other_serves(self):
        assert condition(self.end(ready=0), "Ready") == ("False", "PodsEvicted")

    def test_is_told_with_what_the_next_one_waits_for(self):
        assert "low; pod b waits" in message(self.end(waiting_since(60)), "Ready")

    def test_is_nothing_beside_the_fault_of_the_next_one(self):
        fault = PodFault(Reason.UNSCHEDULABLE, "no node takes pod b")

        status = self.end(replace(waiting_since(0), fault=fault))

        assert condition(status, "Ready")[1] == "Unschedulable"

    def test_is_nothing_once_all_are_there(self):
        assert condition(self.end(ready=2), "Ready") == ("True", "Available")

    def test_is_nothing_long_after(self):
        status = self.end(seconds=RECENT_SECONDS)

        assert condition(status, "Ready") == ("True", "Progressing")


class TestAVolumeThatCannotBeMounted:
    def test_is_told(self):
        missing = (VolumeSource("ConfigMap", "corp-ca", "ca"),)

        status = scaled_up(waiting_since(0), missing_sources=missing)

        assert condition(status, "Ready") == ("True", "ConfigurationError")
        assert "ConfigMap corp-ca of volume ca" in message(status, "Ready")
