"""The status of a hub in every state that it can be in."""

from dataclasses import replace

import pytest

from mcphub_operator.checks import evaluate
from mcphub_operator.kube.children import build_live
from mcphub_operator.observed import (
    BackendReport,
    MissingKey,
    Node,
    Observed,
    Pod,
    PodReport,
    UserSecrets,
)
from mcphub_operator.resources.manifest import ChildId
from mcphub_operator.status.compose import build_invalid_status, build_status
from mcphub_operator.status.conditions import Reason, find_condition
from mcphub_operator.status.problems import Outcome, Problem
from support.observed import (
    LATER,
    NOW,
    POSTGRES,
    QDRANT,
    hub,
    observe,
    settle,
    with_deployment,
)


def rolled(
    observed: Observed,
    *,
    ready: int,
    total: int | None = None,
    updated: int | None = None,
    reason: str = "",
) -> Observed:
    """The Deployment is this far."""
    count = ready if total is None else total

    def report(item):
        item["metadata"]["generation"] = 1
        item["spec"].setdefault("replicas", count)
        item["status"] = {
            "observedGeneration": 1,
            "replicas": count,
            "readyReplicas": ready,
            "updatedReplicas": count if updated is None else updated,
            "conditions": [{"type": "Progressing", "reason": reason}],
        }

    return with_deployment(settle(observed), report)


def without_service(observed: Observed) -> Observed:
    """The client Service's name is taken."""
    service = ChildId("Service", "team-data")
    own = {c: live for c, live in observed.children.items() if c != service}
    return replace(observed, children=own, foreign=(service,))


def pods(*reports: PodReport | None) -> dict:
    """Ready pods that said this (None: not asked yet)."""
    running = [Pod(f"p{i}", f"p{i}", ready=True) for i in range(len(reports))]
    said = {f"p{i}": r for i, r in enumerate(reports) if r is not None}
    return {"pods": tuple(running), "reports": said}


def says(state: str, reason: str = "", message: str = "") -> PodReport:
    report = BackendReport("postgres", state, reason, message)
    return PodReport(answered=True, version="0.1.0", backends=(report,))


def status_of(observed: Observed, outcome: Outcome | None = None) -> dict:
    return build_status(observed, outcome or Outcome(evaluate(observed)))


def condition(status: dict, kind: str) -> tuple[str, str]:
    found = find_condition(status["conditions"], kind)
    return found["status"], found["reason"]


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
        id="the Service is somebody else's, so nobody reaches the replicas",
    ),
    pytest.param(
        rolled(observe(hub(replicas=2, paused=True)), ready=2),
        "True",
        "PausedBySpec",
        "False",
        id="a paused hub serves and shows that nobody works on it",
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


class TestStalled:
    def test_names_everything_that_needs_help(self):
        problems = (
            Problem(Reason.CONFLICT, "one thing"),
            Problem(Reason.SECRET_MISSING, "another thing"),
        )

        status = status_of(NEW, Outcome(problems))

        told = find_condition(status["conditions"], "Stalled")
        assert (told["status"], told["reason"]) == ("True", "Conflict")
        assert told["message"] == "one thing; another thing"

    def test_is_not_for_what_is_tried_again(self):
        status = status_of(NEW, Outcome((Problem(Reason.WRITE_FAILED, "timeout"),)))

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
            " tells why"
        )


class TestAnUpgrade:
    def test_that_stopped_says_which_hub_stopped_it(self):
        outcome = Outcome(upgrade_waits=True, upgrade_stopped_by="ai/first")

        status = status_of(rolled(NEW, ready=2), outcome)

        assert condition(status, "Ready") == ("True", "UpgradePaused")
        assert condition(status, "Reconciling")[0] == "True"
        told = find_condition(status["conditions"], "Ready")
        assert "ai/first" in told["message"]

    def test_that_waits_for_its_turn_leaves_the_hub_available(self):
        status = status_of(rolled(NEW, ready=2), Outcome(upgrade_waits=True))

        assert condition(status, "Ready")[0] == "True"
        assert condition(status, "Reconciling") == ("True", "UpgradePaused")


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

        assert condition(status_of(down), "Ready") == ("True", "Available")

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


NODES = (
    Node("a", ready=False, internal_address="10.0.0.1"),
    Node("b", ready=True, internal_address="10.0.0.2"),
    Node("c", ready=True, internal_address="10.0.0.3", external_address="203.0.113.3"),
)
NODE_PORT = {"type": "NodePort", "nodePort": 30800}


def url(observed: Observed) -> str | None:
    return status_of(rolled(observed, ready=1)).get("endpoints", {}).get("mcp")


class TestTheURL:
    @pytest.mark.parametrize(
        ("spec", "nodes", "expected"),
        [
            pytest.param(
                {},
                NODES,
                "http://team-data.ai.svc:8000/mcp",
                id="inside the cluster it is the Service's name",
            ),
            pytest.param(
                {"service": {"port": 80}},
                NODES,
                "http://team-data.ai.svc/mcp",
                id="port 80 goes without saying",
            ),
            pytest.param(
                {"service": NODE_PORT},
                NODES,
                "http://10.0.0.2:30800/mcp",
                id="a NodePort is on a ready node",
            ),
            pytest.param(
                {"service": NODE_PORT},
                NODES[2:],
                "http://203.0.113.3:30800/mcp",
                id="a node's external address comes first",
            ),
            pytest.param(
                {"service": NODE_PORT},
                None,
                "http://team-data.ai.svc:8000/mcp",
                id="without a right on nodes it is the Service's name",
            ),
            pytest.param(
                {"publicURL": "https://mcp.example.com/"},
                NODES,
                "https://mcp.example.com/mcp",
                id="a public URL is taken as it is",
            ),
        ],
    )
    def test_is_where_clients_reach_the_hub(self, spec, nodes, expected):
        assert url(observe(hub(**spec), nodes=nodes)) == expected

    def test_of_a_load_balancer_waits_for_its_address(self):
        observed = rolled(observe(hub(service={"type": "LoadBalancer"})), ready=1)
        service = ChildId("Service", "team-data")
        item = observed.children[service].read()
        item["status"] = {"loadBalancer": {"ingress": [{"ip": "203.0.113.9"}]}}
        balanced = replace(
            observed, children={**observed.children, service: build_live(item)}
        )

        assert "endpoints" not in status_of(observed)
        mcp = status_of(balanced)["endpoints"]["mcp"]
        assert mcp == "http://203.0.113.9:8000/mcp"

    def test_stays_on_its_node_while_the_node_exists(self):
        before = {"endpoints": {"mcp": "http://10.0.0.1:30800/mcp"}}
        observed = observe(hub(service=NODE_PORT), nodes=NODES, status=before)

        assert url(observed) == "http://10.0.0.1:30800/mcp"

    def test_leaves_a_node_that_is_gone(self):
        before = {"endpoints": {"mcp": "http://10.9.9.9:30800/mcp"}}
        observed = observe(hub(service=NODE_PORT), nodes=NODES, status=before)

        assert url(observed) == "http://10.0.0.2:30800/mcp"

    def test_of_sse_is_there_only_while_the_hub_offers_it(self):
        off = hub(transports={"sse": {"enabled": False}})

        endpoints = status_of(rolled(observe(off), ready=1))["endpoints"]

        assert list(endpoints) == ["mcp"]


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
        problems = (Problem(Reason.WRITE_FAILED, words),)
        self.status = status_of(observed, Outcome(problems))
        return find_condition(self.status["conditions"], "Reconciling")["message"]

    def test_stays_while_the_fault_and_the_hub_do(self):
        self.told(1, "field b is unknown")

        assert self.told(1, "field a is unknown", self.status) == "field b is unknown"

    def test_changes_with_the_hub(self):
        self.told(1, "field b is unknown")

        assert self.told(2, "field a is unknown", self.status) == "field a is unknown"
