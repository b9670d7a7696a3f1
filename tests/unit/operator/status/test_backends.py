"""What a status says of databases, as the replicas report them."""

from dataclasses import replace

import pytest

from mcphub_operator.observed import (
    Pod,
    PodReport,
)
from tests.support.observed import (
    LATER,
    POSTGRES,
    QDRANT,
    hub,
    observe,
)
from tests.support.statuses import condition, pods, rolled, says, status_of

BACKENDS = [
    pytest.param([says("Connected")], "Connected", None, "True", id="all connected"),
    pytest.param(
        [says("Connected"), says("Unreachable", "Timeout", "no answer")],
        "Unreachable",
        "no answer (on 1 of 2 replicas)",
        "False",
        id="the worst replica counts, with how many of how many",
    ),
    pytest.param(
        [says("Unreachable"), says("Degraded")],
        "Unreachable",
        "on 1 of 2 replicas",
        "False",
        id="unreachable is worse than degraded",
    ),
    pytest.param(
        [None, says("Connected")],
        "Connected",
        None,
        "True",
        id="a replica that was not asked yet does not count",
    ),
    pytest.param(
        [PodReport(answered=False)],
        "Unknown",
        "on 1 of 1 replicas",
        "Unknown",
        id="a replica that does not answer knows nothing",
    ),
    pytest.param(
        [], "Unknown", "no ready replica has reported yet", "Unknown", id="no replica"
    ),
]


class TestBackends:
    @pytest.mark.parametrize(("reports", "state", "message", "reachable"), BACKENDS)
    def test_are_as_the_replicas_say(self, reports, state, message, reachable):
        observed = observe(hub(backends=[POSTGRES]), **pods(*reports))

        status = status_of(observed)

        (backend,) = status["backends"]
        assert backend["state"] == state
        assert backend.get("message") == message
        assert condition(status, "BackendsReachable")[0] == reachable

    def test_do_not_touch_ready(self):
        observed = rolled(observe(hub(backends=[POSTGRES])), ready=1)
        down = replace(observed, **pods(says("Unreachable", "Timeout", "no answer")))

        assert condition(status_of(down), "Ready") == ("True", "BackendsDown")

    def test_stay_as_they_were_until_the_first_replica_is_asked(self):
        """A restarted operator must not call a healthy backend unknown."""
        observed = observe(hub(backends=[POSTGRES]), **pods(says("Connected")))
        before = status_of(observed)
        restarted = replace(observed, status=before, reports={}, now=LATER)

        assert status_of(restarted) == before

    def test_of_terminating_pods_do_not_count(self):
        ending = Pod("p0", "p0", ready=True, terminating=True)
        observed = observe(
            hub(backends=[POSTGRES]),
            pods=(ending,),
            reports={"p0": says("Unreachable")},
        )

        (backend,) = status_of(observed)["backends"]
        assert backend["state"] == "Unknown"

    def test_that_are_disabled_are_left_out(self):
        spec = [{**POSTGRES, "enabled": False}, QDRANT]

        status = status_of(observe(hub(backends=spec)))

        assert [b["name"] for b in status["backends"]] == ["qdrant"]

    def test_change_their_time_only_with_their_state(self):
        observed = observe(hub(backends=[POSTGRES]), **pods(says("Unreachable", "A")))
        before = status_of(observed)
        later = replace(observed, status=before, now=LATER)

        same = status_of(replace(later, **pods(says("Unreachable", "B"))))
        changed = status_of(replace(later, **pods(says("Connected"))))

        assert same["backends"][0]["lastTransitionTime"] == "2026-11-21T08:00:00Z"
        assert changed["backends"][0]["lastTransitionTime"] == "2026-11-21T09:00:00Z"
