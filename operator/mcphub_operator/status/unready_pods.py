"""Pods that are not ready although their own status names no fault.

A node that is lost says so at once. What else a pod waits for is told once it has
lasted: at first as a hint, later as what stalls the hub.
"""

from collections.abc import Iterator

from mcphub_operator.observed import Observed, Pod
from mcphub_operator.status.condition_model import Reason
from mcphub_operator.status.elapsed import find_seconds_left, parse_time
from mcphub_operator.status.findings import Finding

HINT_SECONDS = 20.0
"""After this long without being ready, the message says what a pod waits for."""
RECENT_SECONDS = 600.0
"""So long ago a pod has ended at most that is a cause of missing replicas."""


def find_node_fault(observed: Observed) -> Finding | None:
    """Return that a node with a pod of the hub is lost, if one is."""
    lost = {node.name for node in observed.nodes or () if not node.ready}
    for pod in sorted(_find_unready(observed), key=lambda pod: pod.name):
        if pod.node in lost:
            words = f"node {pod.node} of pod {pod.name} is not ready"
            return Finding(Reason.NODE_NOT_READY, words)
        if _is_gone(observed, pod):
            words = f"node {pod.node} of pod {pod.name} does not exist any more"
            return Finding(Reason.NODE_NOT_READY, words)
    return None


def _is_gone(observed: Observed, pod: Pod) -> bool:
    """Tell whether a pod's node was deleted; the watch may lack one that is new."""
    if not observed.nodes or not pod.node or _find_left(observed, pod, HINT_SECONDS):
        return False
    return pod.node not in {node.name for node in observed.nodes}


def find_missing_source(observed: Observed) -> Finding | None:
    """Return what a pod waits to mount that does not exist, if there is such."""
    for source in observed.missing_sources:
        words = (
            f"pods wait for {source} of volume {source.volume}, which does not exist;"
            " create it, or remove the volume where it was added"
        )
        return Finding(Reason.CONFIGURATION_ERROR, words)
    return None


def find_end(observed: Observed) -> Finding | None:
    """Return which pod has ended not long ago, and what the others wait for."""
    ended = observed.ended_pod
    if ended is None or find_end_seconds(observed) <= 0:
        return None
    waits = find_wait_words(observed, HINT_SECONDS)
    message = f"{ended.message}; {waits}" if waits else ended.message
    return Finding(ended.reason, message)


def find_end_seconds(observed: Observed) -> float:
    """Return for how many seconds more an ended pod counts as a cause."""
    ended = observed.ended_pod
    since = parse_time(ended.ended_at) if ended is not None else None
    return find_seconds_left(observed.now, since, RECENT_SECONDS)


def find_wait_words(observed: Observed, seconds: float = 0.0) -> str:
    """Return what a pod has waited for this long; nothing if none has."""
    waits = (
        (pod.name, pod.wait.message)
        for pod in _find_unready(observed)
        if pod.wait is not None
        and pod.fault is None
        and _find_left(observed, pod, seconds) <= 0
    )
    return min(waits, default=("", ""))[1]


def find_wait_seconds(observed: Observed, deadline_seconds: float) -> float:
    """Return in how many seconds a wait changes what is told; 0: none does."""
    left = (
        _find_left(observed, pod, seconds)
        for pod in _find_unready(observed)
        for seconds in (HINT_SECONDS, deadline_seconds)
    )
    return min((seconds for seconds in left if seconds > 0), default=0.0)


def _find_unready(observed: Observed) -> Iterator[Pod]:
    return (pod for pod in observed.pods if not (pod.ready or pod.terminating))


def _find_left(observed: Observed, pod: Pod, seconds: float) -> float:
    since = parse_time(pod.wait.since) if pod.wait is not None else None
    return find_seconds_left(observed.now, since, seconds)
