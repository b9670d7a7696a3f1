"""What is ready and what is wrong, from what the API server answers."""

import pytest

from mcphub_server.results.cells import CUT_MARK, encode_json
from mcphub_server.tools.kubernetes.nodes import summarize_node
from mcphub_server.tools.kubernetes.results import (
    fit_description,
    fit_items,
    fit_lines,
)
from mcphub_server.tools.kubernetes.summaries import (
    summarize_pod,
    summarize_workload,
)


def pod(**status):
    return {
        "metadata": {"name": "p", "namespace": "shop"},
        "spec": {"containers": [{"name": "app"}], "nodeName": "n1"},
        "status": {"phase": "Running", **status},
    }


@pytest.mark.parametrize(
    ("kind", "raw", "ready", "desired"),
    [
        ("Deployment", {"spec": {"replicas": 3}, "status": {"readyReplicas": 2}}, 2, 3),
        ("Deployment", {"spec": {"replicas": 0}, "status": {}}, 0, 0),
        ("StatefulSet", {"spec": {}, "status": {}}, 0, 1),
        (
            "DaemonSet",
            {"status": {"numberReady": 1, "desiredNumberScheduled": 2}},
            1,
            2,
        ),
        ("Job", {"spec": {"completions": 2}, "status": {"succeeded": 1}}, 1, 2),
        (
            "HorizontalPodAutoscaler",
            {"status": {"currentReplicas": 2, "desiredReplicas": 4}},
            2,
            4,
        ),
    ],
)
def test_each_kind_says_ready_and_desired(kind, raw, ready, desired):
    summary = summarize_workload(kind, raw)

    assert (summary["ready"], summary["desired"]) == (ready, desired)


def test_a_condition_that_says_trouble_is_a_problem():
    conditions = [
        {"type": "Available", "status": "False", "reason": "Unavailable"},
        {"type": "Progressing", "status": "True", "reason": "NewReplicaSet"},
        {
            "type": "ReplicaFailure",
            "status": "True",
            "reason": "FailedCreate",
            "message": "exceeded quota",
        },
    ]

    summary = summarize_workload("Deployment", {"status": {"conditions": conditions}})

    assert summary["problems"] == [
        "Available: Unavailable",
        "ReplicaFailure: FailedCreate: exceeded quota",
    ]


def test_a_crashing_container_shows_why_and_how_it_ended():
    ended = {"reason": "OOMKilled", "exitCode": 137, "finishedAt": "2026-01-01"}
    state = {
        "name": "app",
        "ready": False,
        "restartCount": 7,
        "state": {"waiting": {"reason": "CrashLoopBackOff"}},
        "lastState": {"terminated": {**ended, "message": "secret log"}},
    }

    summary = summarize_pod(pod(containerStatuses=[state]))

    assert summary["reason"] == "CrashLoopBackOff"
    assert summary["ready"] == "0/1"
    assert summary["restarts"] == 7
    assert summary["last_exit"] == {"container": "app", **ended}


def test_a_pod_that_no_node_takes_says_so():
    condition = {
        "type": "PodScheduled",
        "status": "False",
        "reason": "Unschedulable",
        "message": "0/3 nodes are available",
    }

    summary = summarize_pod(pod(phase="Pending", conditions=[condition]))

    assert "0/3 nodes" in summary["reason"]


def test_a_list_is_fitted():
    body = fit_items([{"name": "x" * 100}] * 100, 4_000, more=False)

    assert body["truncated"]
    assert 0 < len(body["items"]) < 100
    assert body["total"] == 100


def test_the_newest_lines_of_a_log_stay():
    lines, cut = fit_lines(
        b"\n".join(b"%d" % n for n in range(10_000)), None, 4_000, more=False
    )

    assert cut
    assert lines[-1] == "9999"
    assert len(encode_json(lines)) < 4_000


def test_a_log_is_searched_and_its_long_lines_are_cut():
    body = b"good\nbad " + b"x" * 10_000 + b"\n\xff bad"

    lines, cut = fit_lines(body, "bad", 100_000, more=False)

    assert cut
    assert lines[0].endswith(CUT_MARK)
    assert lines[1] == "� bad"


def test_a_large_object_is_cut():
    body = fit_description({"kind": "Pod", "spec": {"a": "x" * 90_000}}, 20_000)

    assert body["truncated"]
    assert len(encode_json(body)) < 20_000


def node(*conditions, **spec):
    return {
        "metadata": {
            "name": "n1",
            "labels": {"secret": "canary"},
            "annotations": {"secret": "canary"},
        },
        "spec": {"providerID": "canary", **spec},
        "status": {
            "conditions": [
                {"type": t, "status": s, "reason": r} for t, s, r in conditions
            ],
            "allocatable": {
                "cpu": "4",
                "memory": "8Gi",
                "pods": "110",
                "hugepages": "0",
            },
            "addresses": [{"type": "InternalIP", "address": "canary"}],
            "nodeInfo": {"kubeletVersion": "v1.36.0", "machineID": "canary"},
        },
    }


def test_a_node_in_order_has_no_problems_and_tells_its_size():
    told = summarize_node(
        node(("Ready", "True", "KubeletReady"), ("DiskPressure", "False", "Fine"))
    )

    assert (told["ready"], told["schedulable"], told["problems"]) == (True, True, [])
    assert told["allocatable"] == {"cpu": "4", "memory": "8Gi", "pods": "110"}
    assert told["version"] == "v1.36.0"
    assert "canary" not in str(told)


def test_a_node_says_what_is_wrong_and_what_keeps_pods_away():
    taint = {"key": "dedicated", "value": "gpu", "effect": "NoSchedule"}
    told = summarize_node(
        node(
            ("Ready", "Unknown", "NodeStatusUnknown"),
            ("MemoryPressure", "True", "KubeletHasInsufficientMemory"),
            unschedulable=True,
            taints=[taint, {"key": "a", "effect": "NoExecute"}],
        )
    )

    assert (told["ready"], told["schedulable"]) == (False, False)
    assert told["problems"] == [
        "Ready: NodeStatusUnknown",
        "MemoryPressure: KubeletHasInsufficientMemory",
    ]
    assert told["taints"] == ["dedicated=gpu:NoSchedule", "a:NoExecute"]
