"""What a pod without a fault says about what it waits for."""

from typing import Any

import pytest

from mcphub_operator.status.pod_waits import find_wait

CREATED, SINCE = "2026-11-21T08:00:00Z", "2026-11-21T08:01:00Z"
PLACED = {"nodeName": "worker-1"}


def pod(spec: dict[str, Any] | None = None, **status: Any) -> dict[str, Any]:
    metadata = {"name": "hub-1", "creationTimestamp": CREATED}
    return {"metadata": metadata, "spec": spec or {}, "status": status}


def ready(status: str, **parts: str) -> dict[str, Any]:
    told = {"type": "Ready", "status": status, "lastTransitionTime": SINCE}
    return {"conditions": [told | parts]}


def container(name: str = "server", **parts: Any) -> dict[str, Any]:
    return {"name": name, "ready": False} | parts


def able(status: str) -> dict[str, Any]:
    return {"conditions": [{"type": "PodReadyToStartContainers", "status": status}]}


CREATING = {
    "containerStatuses": [container(state={"waiting": {"reason": "ContainerCreating"}})]
}
ADDED = [
    {"name": "config", "configMap": {"name": "hub"}},
    {"name": "ca", "configMap": {"name": "corp-ca"}},
    {"name": "maybe", "secret": {"secretName": "maybe", "optional": True}},
    {"name": "data", "persistentVolumeClaim": {"claimName": "cache"}},
    {
        "name": "mixed",
        "projected": {
            "sources": [
                {"secret": {"name": "login"}},
                {"serviceAccountToken": {"path": "token"}},
                {"configMap": {"name": "maybe", "optional": True}},
            ]
        },
    },
]
_MOUNTS = [{"name": volume["name"], "mountPath": "/x"} for volume in ADDED]
MOUNTED = {
    "volumes": ADDED,
    "initContainers": [{"name": "init", "volumeMounts": _MOUNTS[:2]}],
    "containers": [{"name": "server", "volumeMounts": _MOUNTS[2:]}],
}
RUNNING: dict[str, Any] = {"state": {"running": {}}}


def waiting(reason: str) -> dict[str, Any]:
    return {"state": {"waiting": {"reason": reason}}}


@pytest.mark.parametrize(
    ("found", "words"),
    [
        pytest.param(
            pod({"schedulerName": "mine"}),
            "waits for a node from scheduler mine",
            id="no scheduler looks at it",
        ),
        pytest.param(
            pod(PLACED),
            "waits for node worker-1 to start it",
            id="a kubelet that does nothing",
        ),
        pytest.param(
            pod(PLACED, containerStatuses=[container(**waiting("ContainerCreating"))]),
            "container server waits (ContainerCreating)",
            id="a volume or a network that is missing",
        ),
        pytest.param(
            pod(PLACED, **CREATING, **able("False")),
            "waits on node worker-1 for its volumes or its network",
            id="what comes before containers",
        ),
        pytest.param(
            pod({**PLACED, **MOUNTED}, **CREATING, **able("False")),
            "for its volumes (ConfigMap corp-ca, PersistentVolumeClaim cache,"
            " Secret login) or its network",
            id="volumes that others added",
        ),
        pytest.param(
            pod(PLACED, **CREATING, **able("True")),
            "container server waits for its image, or to be created",
            id="an image that takes its time",
        ),
        pytest.param(
            pod(
                PLACED,
                initContainerStatuses=[container("wait-for-db", **RUNNING)],
                containerStatuses=[container(**waiting("PodInitializing"))],
            ),
            "init container wait-for-db runs",
            id="an init container that does not end",
        ),
        pytest.param(
            pod(PLACED, **ready("False"), containerStatuses=[container(**RUNNING)]),
            "container server runs and is not ready",
            id="a readiness probe that fails",
        ),
        pytest.param(
            pod(
                PLACED,
                containerStatuses=[
                    container(ready=True, **RUNNING),
                    container("proxy", **RUNNING),
                ],
            ),
            "container proxy runs and is not ready",
            id="a container of an injector that is not ready",
        ),
        pytest.param(
            pod(
                PLACED,
                **ready("False", reason="ReadinessGatesNotReady", message='gate "lb"'),
                containerStatuses=[container(ready=True, **RUNNING)],
            ),
            'readiness gate: gate "lb"',
            id="a readiness gate",
        ),
        pytest.param(
            pod(
                PLACED,
                **ready("False"),
                containerStatuses=[container(ready=True, **RUNNING)],
            ),
            "node worker-1 may be down",
            id="a node that went down",
        ),
    ],
)
def test_a_wait_is_described(found: dict[str, Any], words: str):
    wait = find_wait(found)

    assert wait is not None
    assert words in wait.message
    assert "kubectl describe pod hub-1" in wait.message


@pytest.mark.parametrize(
    "found",
    [
        pytest.param(pod(PLACED, **ready("True")), id="a ready pod"),
        pytest.param(pod(PLACED, phase="Failed"), id="an evicted pod"),
    ],
)
def test_other_pods_wait_for_nothing(found: dict[str, Any]):
    assert find_wait(found) is None


def test_a_wait_began_when_the_pod_was_last_ready():
    before, later = find_wait(pod()), find_wait(pod(PLACED, **ready("False")))

    assert before is not None
    assert later is not None
    assert (before.since, later.since) == (CREATED, SINCE)


def test_what_others_added_may_be_what_is_missing():
    found = pod({**PLACED, **MOUNTED}, **CREATING, **able("False"))

    wait = find_wait(found)

    assert wait is not None
    assert [(str(s), s.volume) for s in wait.sources] == [
        ("ConfigMap corp-ca", "ca"),
        ("PersistentVolumeClaim cache", "data"),
        ("Secret login", "mixed"),
    ]


@pytest.mark.parametrize(
    "found",
    [
        pytest.param(
            pod({**PLACED, **MOUNTED}, **CREATING, **able("True")), id="mounted"
        ),
        pytest.param(pod(MOUNTED, **able("False")), id="not placed yet"),
    ],
)
def test_a_pod_that_waits_for_no_volume_names_none(found: dict[str, Any]):
    wait = find_wait(found)

    assert wait is not None
    assert wait.sources == ()


def test_kubelets_pass_over_a_volume_that_no_container_mounts():
    unmounted = {**PLACED, "volumes": ADDED, "containers": [{"name": "server"}]}

    found = find_wait(pod(unmounted, **CREATING, **able("False")))

    assert found is not None
    assert found.sources == ()
