"""One line of facts for each object: what is ready, and what is wrong.

Pure functions of what the API server answers. Fields that a release lacks count as
absent.
"""

from collections.abc import Mapping
from typing import Any

from mcphub_server.guards.kubernetes.shown import hide

Object = Mapping[str, Any]
MAX_MESSAGE = 1_000


def get(node: Any, *path: str) -> Any:
    """Return a nested field; None if a part of the path is absent."""
    for key in path:
        node = node.get(key) if isinstance(node, Mapping) else None
    return node


def summarize_workload(kind: str, raw: Object) -> dict[str, Any]:
    """Return kind, name, ready and desired replicas, and what is wrong."""
    ready, desired = _READERS[kind](raw)
    return {
        "kind": kind,
        "namespace": get(raw, "metadata", "namespace") or "",
        "name": get(raw, "metadata", "name") or "",
        "ready": ready,
        "desired": desired,
        "problems": list_problems(raw),
    }


def _read_replicas(raw: Object) -> tuple[int, int]:
    desired = get(raw, "spec", "replicas")
    return get(raw, "status", "readyReplicas") or 0, 1 if desired is None else desired


def _read_daemon_set(raw: Object) -> tuple[int, int]:
    status = get(raw, "status") or {}
    return status.get("numberReady") or 0, status.get("desiredNumberScheduled") or 0


def _read_job(raw: Object) -> tuple[int, int]:
    desired = get(raw, "spec", "completions")
    return get(raw, "status", "succeeded") or 0, 1 if desired is None else desired


def _read_autoscaler(raw: Object) -> tuple[int, int]:
    status = get(raw, "status") or {}
    return status.get("currentReplicas") or 0, status.get("desiredReplicas") or 0


_READERS = {
    "Deployment": _read_replicas,
    "StatefulSet": _read_replicas,
    "DaemonSet": _read_daemon_set,
    "Job": _read_job,
    "HorizontalPodAutoscaler": _read_autoscaler,
}
WORKLOADS = tuple(_READERS)

_BAD_WHEN_TRUE = frozenset(
    {"ReplicaFailure", "Failed", "FailureTarget", "ScalingLimited"}
)
_BAD_WHEN_FALSE = frozenset(
    {"Available", "Progressing", "AbleToScale", "ScalingActive"}
)


def list_problems(raw: Object) -> list[str]:
    """Return the conditions that say that something is wrong."""
    return [
        _word(each)
        for each in get(raw, "status", "conditions") or ()
        if (each.get("type") in _BAD_WHEN_TRUE and each.get("status") == "True")
        or (each.get("type") in _BAD_WHEN_FALSE and each.get("status") == "False")
    ]


def _word(condition: Object) -> str:
    told = f"{condition.get('type')}: {condition.get('reason', '')}"
    message = condition.get("message") or ""
    return f"{told}: {message}"[:MAX_MESSAGE] if message else told


def summarize_pod(raw: Object) -> dict[str, Any]:
    """Return phase, reason, restarts and the last end of a pod's containers."""
    containers = [
        *(get(raw, "status", "initContainerStatuses") or ()),
        *(get(raw, "status", "containerStatuses") or ()),
    ]
    own = get(raw, "status", "containerStatuses") or ()
    return {
        "namespace": get(raw, "metadata", "namespace") or "",
        "name": get(raw, "metadata", "name") or "",
        "phase": get(raw, "status", "phase") or "Unknown",
        "reason": _find_reason(raw, containers),
        "ready": f"{sum(bool(c.get('ready')) for c in own)}/"
        f"{len(get(raw, 'spec', 'containers') or ())}",
        "restarts": sum(c.get("restartCount") or 0 for c in containers),
        "last_exit": _find_last_exit(containers),
        "node": get(raw, "spec", "nodeName"),
        "started": get(raw, "status", "startTime"),
        "containers": [c.get("name", "") for c in get(raw, "spec", "containers") or ()],
    }


def _find_reason(raw: Object, containers: list[Any]) -> str | None:
    if get(raw, "metadata", "deletionTimestamp"):
        return "Terminating"
    for container in containers:
        for state in ("waiting", "terminated"):
            reason = get(container, "state", state, "reason")
            if reason and reason != "Completed":
                return str(reason)
    if reason := get(raw, "status", "reason"):
        return str(reason)
    for condition in get(raw, "status", "conditions") or ():
        if condition.get("type") == "PodScheduled" and condition["status"] == "False":
            return _word(condition)
    return None


def _find_last_exit(containers: list[Any]) -> dict[str, Any] | None:
    """Return the newest end of a container that was restarted."""
    ends = [
        {"container": c.get("name", ""), **end}
        for c in containers
        if (end := get(c, "lastState", "terminated"))
    ]
    if not ends:
        return None
    newest = max(ends, key=lambda end: end.get("finishedAt") or "")
    kept = ("container", "reason", "exitCode", "finishedAt")
    return {key: newest[key] for key in kept if key in newest}


def summarize_event(raw: Object) -> dict[str, Any]:
    """Return when, what about, and why."""
    about = get(raw, "involvedObject") or {}
    return {
        "namespace": get(raw, "metadata", "namespace") or "",
        "last_seen": raw.get("lastTimestamp")
        or raw.get("eventTime")
        or get(raw, "metadata", "creationTimestamp"),
        "type": raw.get("type") or "",
        "reason": raw.get("reason") or "",
        "object": f"{about.get('kind', '')}/{about.get('name', '')}",
        "message": str(raw.get("message") or "")[:MAX_MESSAGE],
        "count": raw.get("count") or 1,
    }


def summarize_usage(raw: Object) -> dict[str, Any]:
    """Return the CPU and the memory of a pod's containers, as quantities."""
    return {
        "namespace": get(raw, "metadata", "namespace") or "",
        "pod": get(raw, "metadata", "name") or "",
        "containers": [
            {"name": c.get("name", ""), **hide(c.get("usage") or {})}
            for c in raw.get("containers") or ()
        ],
    }
