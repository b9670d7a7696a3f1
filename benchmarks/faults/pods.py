"""What a pod's object says: whose it is, whether it serves; pure."""

from collections.abc import Mapping, Sequence
from typing import Any

Pod = Mapping[str, Any]


def pod_hub(pod: Pod) -> str:
    """Return the hub that a pod belongs to."""
    return str(pod["metadata"]["labels"]["app.kubernetes.io/instance"])


def is_complete(pods: Sequence[Pod], count: int) -> bool:
    """Say whether these are so many ready pods of one template, none of them ending."""
    templates = {pod["metadata"]["labels"]["pod-template-hash"] for pod in pods}
    return len(pods) == count and len(templates) == 1 and all(map(is_ready, pods))


def count_restarts(pods: Sequence[Pod]) -> int:
    """Return how often containers of these pods were started again."""
    statuses = (pod["status"].get("containerStatuses", ()) for pod in pods)
    return sum(one["restartCount"] for several in statuses for one in several)


def is_ready(pod: Pod) -> bool:
    """Say whether a pod serves and stays."""
    conditions = pod["status"].get("conditions", ())
    ready = any(c["type"] == "Ready" and c["status"] == "True" for c in conditions)
    return ready and "deletionTimestamp" not in pod["metadata"]
