"""Why a hub is not as it should be: the one cause that its status names.

From the states of pods, Deployment, autoscaler and Service, never from Events. Causes
that keep pods from being there come before those that keep them from being ready.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from mcphub_operator.observed import Observed
from mcphub_operator.resources.manifest import ChildId
from mcphub_operator.spec.access import ServiceType
from mcphub_operator.spec.status_schema import BackendState, ConditionStatus
from mcphub_operator.status.authentication import find_auth_fault
from mcphub_operator.status.autoscaler import find_autoscaler_fault
from mcphub_operator.status.certificate import find_expiry_fault
from mcphub_operator.status.condition_model import (
    ConditionType,
    Reason,
    find_condition,
)
from mcphub_operator.status.controllers import find_silent_controller
from mcphub_operator.status.elapsed import find_seconds_left, parse_time
from mcphub_operator.status.findings import Finding
from mcphub_operator.status.pod_faults import SEVERITY, PodFault
from mcphub_operator.status.rollout import Progress
from mcphub_operator.status.routes import find_routing
from mcphub_operator.status.unready_pods import (
    find_end,
    find_missing_source,
    find_node_fault,
    find_wait_seconds,
    find_wait_words,
)

DEADLINE_SECONDS = 180.0
"""After this long with a cause, a hub counts as stalled."""
CAUSES = frozenset(
    {
        Reason.CONTROLLER_UNAVAILABLE,
        Reason.PODS_REFUSED,
        Reason.NODE_NOT_READY,
        Reason.ROLLOUT_PAUSED,
        Reason.ROLLOUT_STUCK,
        Reason.WRITE_FAILED,
        Reason.PODS_EVICTED,
        Reason.PODS_ENDED,
        *SEVERITY,
    }
)
"""Why a hub may be stalled by more than its spec, its Secrets and its names."""
_POD_NAME = re.compile(r'pods "[^"]*"')


def find_cause(observed: Observed, progress: Progress) -> Finding | None:
    """Return why replicas are missing; None if none is, or for no known reason."""
    if progress.complete:
        return None
    return next(_find_causes(observed, progress), None)


def _find_causes(observed: Observed, progress: Progress) -> Iterator[Finding]:
    deployment = ChildId("Deployment", observed.hub.name)
    silent = find_silent_controller(observed, deployment)
    # A controller that may create no ReplicaSet does not note what it looked at.
    if silent and not progress.refused:
        yield silent
    if progress.miscounted:
        yield Finding(Reason.CONTROLLER_UNAVAILABLE, progress.miscounted)
    if progress.refused:
        # A refused pod has another name at each try.
        words = _POD_NAME.sub("pods", progress.refused)
        yield Finding(Reason.PODS_REFUSED, f"pods are refused: {words}")
    if missing := find_missing_source(observed):
        yield missing
    if lost := find_node_fault(observed):
        yield lost
    faults = [
        (SEVERITY.index(pod.fault.reason), pod.name, pod.fault)
        for pod in observed.pods
        if pod.fault is not None and not pod.terminating
    ]
    if faults:
        _, _, worst = min(faults)
        yield Finding(worst.reason, f"{worst.message}{_find_login(observed, worst)}")
    if progress.paused:
        yield Finding(
            Reason.ROLLOUT_PAUSED,
            "the rollout is paused; continue it with"
            f" `kubectl rollout resume deployment/{observed.hub.name}`",
        )
    if ended := find_end(observed):
        yield ended


def _find_login(observed: Observed, fault: PodFault) -> str:
    """Say what is wrong with the login by which an image is pulled."""
    wrong = observed.pull_faults
    is_told = fault.reason is Reason.IMAGE_PULL_FAILED and wrong
    return f"; {wrong[0]}" if is_told else ""


def find_service_cause(
    observed: Observed, backends: Sequence[Mapping[str, Any]]
) -> Finding | None:
    """Return what is wrong with a hub whose replicas are all there."""
    return next(_find_service_causes(observed, backends), None)


def _find_service_causes(
    observed: Observed, backends: Sequence[Mapping[str, Any]]
) -> Iterator[Finding]:
    auth = find_auth_fault(observed)
    if auth is not None and auth.reason is Reason.KEYS_MISSING:
        yield auth
    if expired := find_expiry_fault(observed):
        yield expired
    if backends and all(is_down(backend) for backend in backends):
        listed = "; ".join(describe_backend(backend) for backend in backends)
        yield Finding(Reason.BACKENDS_DOWN, f"no backend is connected: {listed}")
    if auth is not None:
        yield auth
    if fault := find_address_fault(observed):
        yield fault
    routing = find_routing(observed)
    if routing is not None and routing.status is ConditionStatus.FALSE:
        yield Finding(Reason.NOT_ROUTED, routing.message)
    if failed := find_autoscaler_fault(observed):
        yield failed


def is_down(backend: Mapping[str, Any]) -> bool:
    """Tell whether a backend is known not to be connected."""
    return backend["state"] in (BackendState.UNREACHABLE, BackendState.DEGRADED)


def describe_backend(backend: Mapping[str, Any]) -> str:
    """Return a backend with the reason of its state."""
    reason = backend.get("reason")
    return f"{backend['name']} ({reason})" if reason else str(backend["name"])


def find_address_fault(observed: Observed) -> Finding | None:
    """Return that a load balancer has no address, if it has none."""
    if not _awaits_address(observed):
        return None
    words = f"the load balancer of Service {observed.hub.name} has no address yet"
    return Finding(Reason.ADDRESS_PENDING, words)


def find_address_seconds(observed: Observed) -> float:
    """Return in how many seconds a missing address stalls the hub; 0: it does."""
    live = observed.children.get(ChildId("Service", observed.hub.name))
    if live is None or not _awaits_address(observed):
        return 0.0
    grace = observed.platform.address_grace_seconds
    return find_seconds_left(observed.now, parse_time(live.applied_at), grace)


def _awaits_address(observed: Observed) -> bool:
    hub = observed.hub
    live = observed.children.get(ChildId("Service", hub.name))
    if live is None or hub.spec.service.type is not ServiceType.LOAD_BALANCER:
        return False
    balancer = (live.read().get("status") or {}).get("loadBalancer") or {}
    return not balancer.get("ingress")


def find_overdue_seconds(observed: Observed) -> float:
    """Return in how many seconds a hub with a cause counts as stalled; 0: it does."""
    conditions = observed.status.get("conditions") or ()
    if _is_stalled_by_cause(observed, conditions):
        return 0.0
    reconciling = find_condition(conditions, ConditionType.RECONCILING) or {}
    if reconciling.get("status") != "True":
        return DEADLINE_SECONDS
    since = parse_time(reconciling.get("lastTransitionTime")) or observed.now
    return find_seconds_left(observed.now, since, DEADLINE_SECONDS)


def _is_stalled_by_cause(
    observed: Observed, conditions: Sequence[Mapping[str, Any]]
) -> bool:
    """Tell whether the hub, as it is specified now, has been stalled by a cause.

    A change of the spec may be the remedy, and what a missing Secret stalled begins to
    start only when it is there: both get the whole time.
    """
    stalled = find_condition(conditions, ConditionType.STALLED) or {}
    return (
        stalled.get("status") == "True"
        and stalled.get("reason") in CAUSES
        and stalled.get("observedGeneration") == observed.hub.generation
    )


def find_wait_too_long(observed: Observed, progress: Progress) -> str:
    """Return what a pod has waited for so long that the hub is stuck, if one has.

    Kubernetes gives up on a rollout, but never on pods that come later: those of a
    scale-up, and those that replace others.
    """
    if progress.complete or not progress.finished_before:
        return ""
    return find_wait_words(observed, DEADLINE_SECONDS)


def find_unready_seconds(observed: Observed, progress: Progress) -> float:
    """Return in how many seconds a pod that waits changes what is told; 0: none."""
    if progress.complete:
        return 0.0
    return find_wait_seconds(observed, DEADLINE_SECONDS)
