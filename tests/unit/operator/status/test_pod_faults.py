"""What the status of a pod says about why it is not ready."""

from typing import Any

import pytest

from mcphub_operator.status.condition_model import Reason
from mcphub_operator.status.pod_faults import find_fault, has_ended


def pod(**status: Any) -> dict[str, Any]:
    return {"metadata": {"name": "hub-1"}, "status": status}


def container(**parts: Any) -> dict[str, Any]:
    status = {"name": "server", "image": "server:1", "ready": False} | parts
    return pod(containerStatuses=[status])


def waiting(reason: str, message: str = "") -> dict[str, Any]:
    return {"state": {"waiting": {"reason": reason, "message": message}}}


def ended(code: int, reason: str = "Error") -> dict[str, Any]:
    return {"terminated": {"exitCode": code, "reason": reason}}


UNSCHEDULED = {
    "type": "PodScheduled",
    "status": "False",
    "reason": "Unschedulable",
    "message": "0/3 nodes are available",
}
GATED = {
    "type": "PodScheduled",
    "status": "False",
    "reason": "SchedulingGated",
    "message": "Scheduling is blocked due to non-empty scheduling gates",
}
DENIED = (
    'rpc error: code = Unknown desc = failed to pull and unpack image "server:1": '
    "failed to authorize: failed to fetch oauth token: 401 Unauthorized"
)
UNREACHED = 'Head "https://r.example.com/v2/": dial tcp: no such host'
BACK_OFF = waiting("CrashLoopBackOff")
RUNC = (
    "failed to create containerd task: failed to create shim task: OCI runtime create"
    " failed: runc create failed: unable to start container process: "
)
NO_PROGRAM = f'{RUNC}exec: "mcphub": executable file not found in $PATH: unknown'


def not_started(message: str) -> dict[str, Any]:
    return {"terminated": {"exitCode": 128, "reason": "StartError", "message": message}}


@pytest.mark.parametrize(
    ("found", "reason", "words"),
    [
        pytest.param(
            container(**waiting("ErrImagePull")),
            Reason.IMAGE_PULL_FAILED,
            ["hub-1", "server", "server:1"],
            id="an image that cannot be pulled",
        ),
        pytest.param(
            container(**waiting("InvalidImageName")),
            Reason.IMAGE_PULL_FAILED,
            ["server:1"],
            id="an image with an invalid name",
        ),
        pytest.param(
            container(**waiting("ErrImagePull", DENIED)),
            Reason.IMAGE_PULL_FAILED,
            ["server:1", "access is refused", "spec.imagePullSecrets"],
            id="an image that the registry does not give away",
        ),
        pytest.param(
            container(**waiting("ImagePullBackOff", f"Back-off: {UNREACHED}")),
            Reason.IMAGE_PULL_FAILED,
            ["does not reach the registry"],
            id="a registry that is not reached",
        ),
        pytest.param(
            container(**waiting("ErrImageNeverPull")),
            Reason.IMAGE_PULL_FAILED,
            ["spec.imagePullPolicy is Never"],
            id="an image that may not be pulled",
        ),
        pytest.param(
            container(
                state={"running": {}}, lastState=ended(0, "Completed"), restartCount=2
            ),
            Reason.CRASH_LOOPING,
            ["exit code 0"],
            id="a container that its liveness probe restarts again and again",
        ),
        pytest.param(
            container(**waiting("CreateContainerConfigError", "no key x")),
            Reason.CONFIGURATION_ERROR,
            ["server", "no key x"],
            id="a container that cannot be created",
        ),
        pytest.param(
            container(**waiting("VirtualNodeError", "no capacity")),
            Reason.CONFIGURATION_ERROR,
            ["server", "no capacity"],
            id="an error that only one kind of node has a word for",
        ),
        pytest.param(
            container(**BACK_OFF, lastState=not_started(NO_PROGRAM)),
            Reason.CONFIGURATION_ERROR,
            ["server", "cannot be started", "has no such program"],
            id="an image without its program",
        ),
        pytest.param(
            container(
                **BACK_OFF, lastState=not_started(f"{RUNC}exec /x: exec format error")
            ),
            Reason.CONFIGURATION_ERROR,
            ["cannot be started", "another processor"],
            id="an image for another processor",
        ),
        pytest.param(
            container(
                **BACK_OFF,
                lastState={
                    "terminated": ended(255)["terminated"]
                    | {"message": "exec /usr/bin/python3: exec format error\n"}
                },
            ),
            Reason.CONFIGURATION_ERROR,
            ["cannot be started", "another processor"],
            id="a program for another processor that the runtime started",
        ),
        pytest.param(
            container(
                **BACK_OFF,
                lastState={
                    "terminated": ended(2)["terminated"]
                    | {
                        "message": '{"event": "x"}\n'
                        "mcphub-server: limits.maxRows must be at least 1\n"
                    }
                },
            ),
            Reason.CRASH_LOOPING,
            ["exit code 2", ": limits.maxRows must be at least 1"],
            id="a server that says what is wrong with its configuration",
        ),
        pytest.param(
            container(
                **BACK_OFF,
                lastState={
                    "terminated": ended(1)["terminated"]
                    | {"message": "FATAL: could not open postgres://u:p@db\n"}
                },
            ),
            Reason.CRASH_LOOPING,
            ["exit code 1; `kubectl logs -p` shows why"],
            id="another program, whose words may be secret",
        ),
        pytest.param(
            container(
                **BACK_OFF,
                lastState=not_started(
                    f'{RUNC}error mounting "/var/lib/kubelet/x" to rootfs at'
                    ' "/etc/ssl/ca.crt": not a directory: unknown'
                ),
            ),
            Reason.CONFIGURATION_ERROR,
            ["volume", "cannot be mounted"],
            id="a folder that is mounted on a file",
        ),
        pytest.param(
            container(**BACK_OFF, lastState=ended(137, "OOMKilled")),
            Reason.OUT_OF_MEMORY,
            ["server", "137"],
            id="a container that is killed for memory",
        ),
        pytest.param(
            container(**BACK_OFF, lastState=ended(3)),
            Reason.CRASH_LOOPING,
            ["hub-1", "server", "exit code 3"],
            id="a container that crashes",
        ),
        pytest.param(
            container(**BACK_OFF, lastState=ended(0, "Completed")),
            Reason.CRASH_LOOPING,
            ["exit code 0"],
            id="a container that ends again and again without an error",
        ),
        pytest.param(
            container(**BACK_OFF, lastState=ended(255, "Unknown")),
            Reason.CRASH_LOOPING,
            ["exit code 255"],
            id="a container that ends again and again on a node in trouble",
        ),
        pytest.param(
            container(state=ended(3)),
            Reason.CRASH_LOOPING,
            ["exit code 3"],
            id="a container that has just crashed",
        ),
        pytest.param(
            container(state={"running": {}}, lastState=ended(3)),
            Reason.CRASH_LOOPING,
            ["exit code 3"],
            id="a container that has just been restarted",
        ),
        pytest.param(
            pod(conditions=[UNSCHEDULED]),
            Reason.UNSCHEDULABLE,
            ["hub-1", "0/3 nodes"],
            id="a pod that no node takes",
        ),
        pytest.param(
            pod(conditions=[GATED]),
            Reason.UNSCHEDULABLE,
            ["hub-1", "scheduling gates"],
            id="a pod that another controller holds back",
        ),
        pytest.param(
            pod(
                initContainerStatuses=[
                    {"name": "init", "image": "x", "ready": False} | {"state": ended(2)}
                ]
            ),
            Reason.CRASH_LOOPING,
            ["init", "exit code 2"],
            id="an init container that fails",
        ),
    ],
)
def test_a_fault_is_named(found: dict[str, Any], reason: Reason, words: list[str]):
    fault = find_fault(found)

    assert fault is not None
    assert fault.reason is reason
    assert all(word in fault.message for word in words)


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (
            container(**waiting("ErrImagePull")),
            container(**waiting("ImagePullBackOff")),
        ),
        (
            container(state=ended(3), restartCount=1),
            container(**BACK_OFF, lastState=ended(3), restartCount=2),
        ),
        (
            container(**waiting("RunContainerError", NO_PROGRAM)),
            container(**BACK_OFF, lastState=not_started(NO_PROGRAM), restartCount=2),
        ),
        (
            container(**waiting("RunContainerError", f"{RUNC}task {'0a' * 32}")),
            container(**waiting("RunContainerError", f"{RUNC}task {'1b' * 32}")),
        ),
    ],
)
def test_the_two_words_of_a_kubelet_for_one_fault_are_one(first: Any, second: Any):
    assert find_fault(first) == find_fault(second)


@pytest.mark.parametrize(
    "found",
    [
        pytest.param(pod(), id="a new pod"),
        pytest.param(container(**waiting("ContainerCreating")), id="a starting pod"),
        pytest.param(container(state={"running": {}}), id="a pod that warms up"),
        pytest.param(
            container(state={"running": {}}, lastState=ended(255, "Unknown")),
            id="a pod that starts again after its node did",
        ),
        pytest.param(
            container(state={"running": {}}, ready=True, lastState=ended(137)),
            id="a pod that serves again",
        ),
    ],
)
def test_a_pod_without_a_fault_has_none(found: dict[str, Any]):
    assert find_fault(found) is None


@pytest.mark.parametrize("phase", ["Failed", "Succeeded"])
def test_a_pod_that_has_ended_is_no_replica(phase: str):
    assert has_ended(pod(phase=phase, reason="Evicted"))
    assert not has_ended(pod(phase="Running"))
