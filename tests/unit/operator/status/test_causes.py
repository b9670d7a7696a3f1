"""When the status names a cause, and when it waits before it does."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from mcphub_operator.cache.children import build_cached
from mcphub_operator.observed import Observed, Pod
from mcphub_operator.resources.manifest import ChildId
from mcphub_operator.status.causes import (
    DEADLINE_SECONDS,
    find_metrics_seconds,
    find_overdue_seconds,
)
from mcphub_operator.status.condition_model import Reason, find_condition, format_time
from mcphub_operator.status.pod_faults import PodFault
from mcphub_operator.status.transitions import find_transitions
from tests.support.observed import NOW, PLATFORM, hub, observe
from tests.support.statuses import condition, rolled, status_of

METRICS_SECONDS = PLATFORM.metrics_grace_seconds
AUTOSCALER = ChildId("HorizontalPodAutoscaler", "team-data")
AT_ONCE, SOON, LATE = (timedelta(seconds=s) for s in (0, 60, METRICS_SECONDS))


def autoscaled(**active: str) -> Observed:
    """A complete hub whose autoscaler reports this."""
    observed = rolled(observe(hub(autoscaling={"minReplicas": 2})), ready=2)
    item = observed.children[AUTOSCALER].read()
    item["status"] = {"conditions": [{"type": "ScalingActive", **active}]}
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
