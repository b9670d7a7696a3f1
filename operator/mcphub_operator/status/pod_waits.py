"""What a pod waits for while it is not ready, from the pod alone.

Every pod waits for a while. That is no fault (`pod_faults`) until it lasts, or until
the pod has been ready before; then the status says what the pod waits for.
"""

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from mcphub_operator.status.condition_model import find_condition
from mcphub_operator.status.pod_faults import has_ended

GATES = "ReadinessGatesNotReady"


class PodWait(NamedTuple):
    """What a pod waits for, and since when it has not been ready."""

    message: str
    since: str


def find_wait(pod: Mapping[str, Any]) -> PodWait | None:
    """Return what a pod waits for; None if it is ready or has ended."""
    metadata, status = pod["metadata"], pod.get("status") or {}
    conditions = status.get("conditions") or ()
    ready = find_condition(conditions, "Ready") or {}
    if ready.get("status") == "True" or has_ended(pod):
        return None
    name = metadata["name"]
    message = f"pod {name} {_describe(pod, ready)}; `kubectl describe pod {name}`"
    since = ready.get("lastTransitionTime") or metadata.get("creationTimestamp")
    return PodWait(f"{message} shows more", str(since or ""))


def _describe(pod: Mapping[str, Any], ready: Mapping[str, Any]) -> str:
    spec, status = pod.get("spec") or {}, pod.get("status") or {}
    node = spec.get("nodeName")
    if not node:
        scheduler = spec.get("schedulerName") or "default-scheduler"
        return f"waits for a node from scheduler {scheduler}"
    initial = status.get("initContainerStatuses") or ()
    containers = status.get("containerStatuses") or ()
    found = _find_unready(initial, "init container") or _find_unready(
        containers, "container"
    )
    if found:
        return found
    if not containers:
        return f"waits for node {node} to start it"
    if ready.get("reason") == GATES:
        return f"waits for a readiness gate: {ready.get('message')}"
    return f"is not called ready, though its containers are: node {node} may be down"


def _find_unready(containers: Iterable[Mapping[str, Any]], word: str) -> str:
    """Return the state of the first container that holds a pod up, if one does."""
    for container in containers:
        state, name = container.get("state") or {}, container.get("name")
        if container.get("ready"):
            continue
        if "running" in state:
            return f"is not ready: {word} {name} runs and is not ready"
        waiting = state.get("waiting") or {}
        reason = waiting.get("reason") or "not started"
        return f"is not ready: {word} {name} waits ({reason})"
    return ""
