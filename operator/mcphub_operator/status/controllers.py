"""Controllers of Kubernetes that do nothing for an object that changed.

What they report of it is then old: replicas that are long gone, or a spec that is not
the present one. Deployments and autoscalers are looked after by one program,
kube-controller-manager, whose absence shows nowhere else.
"""

from mcphub_operator.observed import CachedObject, Observed
from mcphub_operator.resources.manifest import ChildId
from mcphub_operator.status.condition_model import Reason
from mcphub_operator.status.elapsed import find_seconds_left, parse_time
from mcphub_operator.status.findings import Finding

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


def find_silence_seconds(observed: Observed) -> float:
    """Return in how many seconds the silence of a controller is told; 0: never."""
    left = (
        find_seconds_left(observed.now, parse_time(live.changed_at), SILENT_SECONDS)
        for child, live in observed.children.items()
        if _is_overlooked(child, live)
    )
    return min((seconds for seconds in left if seconds > 0), default=0.0)


def _is_overlooked(child: ChildId, live: CachedObject) -> bool:
    if child.kind not in ("Deployment", "HorizontalPodAutoscaler"):
        return False
    item = live.read()
    status = item.get("status") or {}
    if child.kind == "HorizontalPodAutoscaler":
        return not status.get("conditions")
    generation = item["metadata"].get("generation", 0)
    return bool(status.get("observedGeneration", 0) < generation)
