"""Why a pod does not become ready, from its status alone.

The messages name pod, container, image and exit code, and nothing that changes while
the fault stays: kubelets alternate between two words for one fault, and count.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from mcphub_operator.status.condition_model import Reason
from mcphub_operator.status.pull_hints import find_pull_hint
from mcphub_operator.status.start_hints import describe_start_error, is_wrong_format

_IMAGE = frozenset(
    {
        "ErrImagePull",
        "ImagePullBackOff",
        "InvalidImageName",
        "ErrImageNeverPull",
        "ImageInspectError",
        "RegistryUnavailable",
        "SignatureValidationFailed",
    }
)
_STARTING = "RunContainerError"
_NOT_STARTED = frozenset({"StartError", "ContainerCannotRun", _STARTING})
"""Why a container ended that never ran."""
_MANY_RESTARTS = 2
_OUT_OF_MEMORY = "OOMKilled"
_BACK_OFF = "CrashLoopBackOff"
_LOST = frozenset({"Unknown", "ContainerStatusUnknown"})
"""The node went down, not the container."""
_UNPLACED = frozenset({"Unschedulable", "SchedulingGated", "SchedulerError"})
_SERVER_SAYS = "mcphub-server: "
_MAX_WORDS = 300
_ENDED = frozenset({"Failed", "Succeeded"})
SEVERITY = (
    Reason.OUT_OF_MEMORY,
    Reason.CRASH_LOOPING,
    Reason.IMAGE_PULL_FAILED,
    Reason.CONFIGURATION_ERROR,
    Reason.UNSCHEDULABLE,
)


class PodFault(NamedTuple):
    """Why a pod is not ready."""

    reason: Reason
    message: str


def has_ended(pod: Mapping[str, Any]) -> bool:
    """Tell whether a pod was evicted, failed or completed: it is no replica."""
    return (pod.get("status") or {}).get("phase") in _ENDED


def find_fault(pod: Mapping[str, Any]) -> PodFault | None:
    """Return the worst fault of a pod; None if it has none."""
    found = list(_find_faults(pod))
    return min(found, key=lambda fault: SEVERITY.index(fault.reason), default=None)


def _find_faults(pod: Mapping[str, Any]) -> Iterator[PodFault]:
    name, status = pod["metadata"]["name"], pod.get("status") or {}
    for condition in status.get("conditions") or ():
        if _is_unschedulable(condition):
            words = str(condition.get("message") or "no node fits")
            yield PodFault(Reason.UNSCHEDULABLE, f"no node takes pod {name}: {words}")
    for container in _containers(status):
        if not container.get("ready"):
            where = f"pod {name}, container {container.get('name')}"
            yield from _find_container_faults(where, container)


def _is_unschedulable(condition: Mapping[str, Any]) -> bool:
    head = (condition.get("type"), condition.get("status"))
    return head == ("PodScheduled", "False") and condition.get("reason") in _UNPLACED


def _containers(status: Mapping[str, Any]) -> Iterable[Mapping[str, Any]]:
    for group in ("initContainerStatuses", "containerStatuses"):
        yield from status.get(group) or ()


def _find_container_faults(
    where: str, container: Mapping[str, Any]
) -> Iterator[PodFault]:
    state, last = container.get("state") or {}, container.get("lastState") or {}
    wait = state.get("waiting") or {}
    waiting = str(wait.get("reason") or "")
    words = str(wait.get("message") or waiting)
    if waiting in _IMAGE:
        image = container.get("image")
        hint = find_pull_hint(f"{waiting}: {words}".replace(str(image), ""))
        message = f"{where}: image {image} cannot be pulled"
        message += f": {hint}" if hint else ""
        yield PodFault(Reason.IMAGE_PULL_FAILED, message)
    elif waiting == _STARTING:
        yield _build_start_fault(where, words)
    elif waiting.endswith("Error"):
        message = f"{where} cannot be created: {words}"
        yield PodFault(Reason.CONFIGURATION_ERROR, message)
    else:
        ended = state.get("terminated") or last.get("terminated")
        # A server that its liveness probe ends leaves with exit code 0.
        restarts = container.get("restartCount", 0) >= _MANY_RESTARTS
        loops = waiting == _BACK_OFF or restarts
        if ended and (loops or ended.get("reason") not in _LOST):
            yield from _find_exit(where, ended, loops=loops)


def _find_exit(
    where: str, ended: Mapping[str, Any], *, loops: bool
) -> Iterator[PodFault]:
    code, words = ended.get("exitCode"), str(ended.get("message") or "")
    if ended.get("reason") in _NOT_STARTED or is_wrong_format(words):
        yield _build_start_fault(where, words or f"exit code {code}")
    elif ended.get("reason") == _OUT_OF_MEMORY:
        message = f"{where} used more memory than its limit (exit code {code})"
        yield PodFault(Reason.OUT_OF_MEMORY, message)
    elif code != 0 or loops:
        message = f"{where} ends with exit code {code}{_quote(words)}"
        yield PodFault(Reason.CRASH_LOOPING, message)


def _quote(words: str) -> str:
    """Return what the hub's server says of its configuration; no other's words.

    The server names fields, never secrets; what else runs may print anything.
    """
    lines = [line for line in words.splitlines() if line.startswith(_SERVER_SAYS)]
    if not lines:
        return "; `kubectl logs -p` shows why"
    return f": {lines[-1].removeprefix(_SERVER_SAYS)[:_MAX_WORDS]}"


def _build_start_fault(where: str, words: str) -> PodFault:
    message = f"{where} cannot be started: {describe_start_error(words)}"
    return PodFault(Reason.CONFIGURATION_ERROR, message)
