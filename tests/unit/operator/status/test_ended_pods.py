"""What is told of a pod that was evicted, failed or completed."""

from typing import Any

import pytest

from mcphub_operator.status.condition_model import Reason
from mcphub_operator.status.ended_pods import build_ended_pod

CREATED, ENDED = "2026-11-21T08:00:00Z", "2026-11-21T08:05:00Z"
LOW = "The node was low on resource: memory. Threshold quantity: 100Mi. "


def pod(**status: Any) -> dict[str, Any]:
    metadata = {"name": "hub-1", "uid": "1", "creationTimestamp": CREATED}
    return {"metadata": metadata, "status": {"phase": "Failed"} | status}


def finished(code: int) -> dict[str, Any]:
    end = {"exitCode": code, "finishedAt": ENDED}
    return {"containerStatuses": [{"name": "server", "state": {"terminated": end}}]}


SHUTDOWN = "Pod was terminated in response to imminent node shutdown."
PREEMPTED = {
    "type": "DisruptionTarget",
    "status": "True",
    "reason": "PreemptionByScheduler",
    "message": "preempting to accommodate a higher priority pod",
    "lastTransitionTime": ENDED,
}


@pytest.mark.parametrize(
    ("found", "reason", "message"),
    [
        pytest.param(
            pod(reason="Evicted", message=LOW),
            Reason.PODS_EVICTED,
            f"pod hub-1 was evicted: {LOW.rstrip(' .')}",
            id="a node that is low on memory",
        ),
        pytest.param(
            pod(reason="Terminated", message=SHUTDOWN),
            Reason.PODS_ENDED,
            f"pod hub-1 has ended (Terminated): {SHUTDOWN.rstrip('.')}",
            id="a node that was shut down",
        ),
        pytest.param(
            pod(reason="OutOfcpu"),
            Reason.PODS_ENDED,
            "pod hub-1 has ended (OutOfcpu)",
            id="a kubelet that takes no pod more",
        ),
        pytest.param(
            pod(conditions=[PREEMPTED]),
            Reason.PODS_ENDED,
            f"pod hub-1 has ended (Failed): {PREEMPTED['message']}",
            id="a pod that is more important",
        ),
        pytest.param(
            pod(phase="Succeeded", **finished(0)),
            Reason.PODS_ENDED,
            "pod hub-1 has ended (Succeeded): container server, exit code 0",
            id="a pod that has completed",
        ),
    ],
)
def test_a_pod_that_has_ended_says_why(
    found: dict[str, Any], reason: Reason, message: str
):
    ended = build_ended_pod(found)

    assert (ended.reason, ended.message) == (reason, message)


@pytest.mark.parametrize(
    ("found", "moment"),
    [
        (pod(), CREATED),
        (pod(**finished(1)), ENDED),
        (pod(conditions=[PREEMPTED]), ENDED),
    ],
)
def test_it_ended_when_something_last_changed(found: dict[str, Any], moment: str):
    assert build_ended_pod(found).ended_at == moment


def test_the_words_of_a_node_are_cut():
    ended = build_ended_pod(pod(reason="Evicted", message="low " * 500))

    assert len(ended.message) < 400
