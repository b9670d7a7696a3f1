"""Controllers of Kubernetes that do nothing for an object that changed.

What they report of it is then old: replicas that are long gone, or a spec that is not
the present one. Deployments and autoscalers are looked after by one program,
kube-controller-manager, whose absence shows nowhere else. While neither the hub nor its
pods change, that absence harms nothing, and is not told.
"""

from dataclasses import replace

from mcphub_operator.observed import CachedObject, Observed
from mcphub_operator.resources.manifest import ChildId
from mcphub_operator.status.condition_model import Reason
from mcphub_operator.status.elapsed import find_seconds_left, parse_time
from mcphub_operator.status.findings import Finding
from mcphub_operator.status.rollout import Progress

SILENT_SECONDS = 60.0
"""Controllers see a change within a second, and a new autoscaler within fifteen."""


def find_silent_controller(observed: Observed, child: ChildId) -> Finding | None:
    """Return that no controller looks at a child, once that has lasted."""
    live = observed.children.get(child)
    if live is None or not _is_overlooked(child, live):
        return None
    since = parse_time(live.changed_at)
    if since is None or find_seconds_left(observed.now, since, SILENT_SECONDS) > 0:
        return None
    words = f"no controller has looked at {child} for a minute after it changed"
    return Finding(
        Reason.CONTROLLER_UNAVAILABLE, f"{words}; is kube-controller-manager running?"
    )


def find_silence_seconds(observed: Observed, progress: Progress) -> float:
    """Return in how many seconds the silence of a controller is told; 0: never."""
    left = [
        find_seconds_left(observed.now, parse_time(live.changed_at), SILENT_SECONDS)
        for child, live in observed.children.items()
        if _is_overlooked(child, live)
    ]
    unchanged = observed.pods_unchanged_seconds
    if progress.ready != _count_ready(observed) and unchanged is not None:
        left.append(SILENT_SECONDS - unchanged)
    return min((seconds for seconds in left if seconds > 0), default=0.0)


def correct_progress(observed: Observed, progress: Progress) -> Progress:
    """Return a Deployment's progress by its pods, once no controller has counted them.

    A pod that is gone and still counted is not replaced.
    """
    ready = _count_ready(observed)
    unchanged = observed.pods_unchanged_seconds or 0.0
    if ready == progress.ready or unchanged < SILENT_SECONDS:
        return progress
    words = (
        f"Deployment {observed.hub.name} says that {progress.ready} pods are ready, and"
        f" for a minute {ready} have been; is kube-controller-manager running?"
    )
    return replace(progress, ready=ready, complete=False, miscounted=words)


def _count_ready(observed: Observed) -> int:
    return sum(pod.ready and not pod.terminating for pod in observed.pods)


def _is_overlooked(child: ChildId, live: CachedObject) -> bool:
    if child.kind not in ("Deployment", "HorizontalPodAutoscaler"):
        return False
    item = live.read()
    status = item.get("status") or {}
    if child.kind == "HorizontalPodAutoscaler":
        return not status.get("conditions")
    generation = item["metadata"].get("generation", 0)
    return bool(status.get("observedGeneration", 0) < generation)
