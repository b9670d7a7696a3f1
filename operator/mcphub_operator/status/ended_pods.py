"""Pods that were evicted, failed or completed: no replicas, but why some are missing.

Kubernetes keeps such pods for as long as it likes, and replaces them at once. So one is
a cause only while replicas are missing, and only for a while.
"""

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from mcphub_operator.status.condition_model import Reason, find_condition

_EVICTED = "Evicted"
_MAX_WORDS = 300
_DISPLACED = frozenset(
    {
        "PreemptionByScheduler",
        "DeletionByTaintManager",
        "DeletionByPodGC",
        "TerminationByKubelet",
    }
)
"""Why a pod is deleted that no rollout, drain or person took away."""


class EndedPod(NamedTuple):
    """A pod that has ended, and why."""

    ended_at: str
    name: str
    uid: str
    reason: Reason
    message: str


def was_removed(pod: Mapping[str, Any]) -> bool:
    """Tell whether a pod ended because it was deleted, as each rollout does it.

    Kubelets report that containers have ended before the pod is gone.
    """
    conditions = (pod.get("status") or {}).get("conditions") or ()
    disrupted = find_condition(conditions, "DisruptionTarget") or {}
    is_displaced = disrupted.get("reason") in _DISPLACED
    return "deletionTimestamp" in pod["metadata"] and not is_displaced


def build_ended_pod(pod: Mapping[str, Any]) -> EndedPod:
    """Return what the status says about a pod that has ended."""
    metadata, status = pod["metadata"], pod.get("status") or {}
    reason, name = status.get("reason"), metadata["name"]
    words = " ".join(_find_words(status).split())[:_MAX_WORDS].rstrip(" .")
    is_evicted = reason == _EVICTED
    verb = "was evicted" if is_evicted else f"has ended ({reason or status['phase']})"
    return EndedPod(
        ended_at=max(_find_times(metadata, status)),
        name=name,
        uid=metadata["uid"],
        reason=Reason.PODS_EVICTED if is_evicted else Reason.PODS_ENDED,
        message=f"pod {name} {verb}{words and f': {words}'}",
    )


def _find_words(status: Mapping[str, Any]) -> str:
    conditions = status.get("conditions") or ()
    disrupted = find_condition(conditions, "DisruptionTarget") or {}
    if words := status.get("message") or disrupted.get("message"):
        return str(words)
    ends = (
        (container.get("name"), end)
        for container in status.get("containerStatuses") or ()
        if (end := (container.get("state") or {}).get("terminated"))
    )
    found = (f"container {name}, exit code {end.get('exitCode')}" for name, end in ends)
    return next(found, "")


def _find_times(
    metadata: Mapping[str, Any], status: Mapping[str, Any]
) -> Iterator[str]:
    yield str(metadata.get("creationTimestamp") or "")
    yield str(status.get("startTime") or "")
    for condition in status.get("conditions") or ():
        yield str(condition.get("lastTransitionTime") or "")
    for container in status.get("containerStatuses") or ():
        ended = (container.get("state") or {}).get("terminated") or {}
        yield str(ended.get("finishedAt") or "")
