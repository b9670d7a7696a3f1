"""What a hub's autoscaler says about itself: that it cannot scale, or may not."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from mcphub_operator.observed import Observed
from mcphub_operator.resources.manifest import ChildId
from mcphub_operator.status.condition_model import Reason, find_condition
from mcphub_operator.status.controllers import find_silent_controller
from mcphub_operator.status.elapsed import find_seconds_left, parse_time
from mcphub_operator.status.findings import Finding

_ABLE = ("ScalingActive", "AbleToScale")
_NOT_ASKED = "ScalingDisabled"
_NO_METRICS = re.compile("FailedGet[A-Za-z]*Metric")
_NO_REQUEST = re.compile(r"missing request for ([a-z-]+) in container (\S+)")
"""Of a share of what is requested, which all containers of a pod must say."""
_AT_MOST = "TooManyReplicas"


def find_autoscaler_fault(observed: Observed) -> Finding | None:
    """Return why the hub's autoscaler does not scale, once that has lasted."""
    return next(_find_faults(observed), None)


def _find_faults(observed: Observed) -> Iterator[Finding]:
    child = _find_name(observed)
    failure = _find_failure(observed)
    if failure and find_metrics_seconds(observed) <= 0:
        yield _describe(child, failure)
    if silent := find_silent_controller(observed, child):
        yield silent


def _describe(child: ChildId, failure: Mapping[str, Any]) -> Finding:
    reason = str(failure.get("reason") or "")
    words = str(failure.get("message") or reason)
    if found := _NO_REQUEST.search(words):
        resource, container = found.groups()
        return Finding(
            Reason.AUTOSCALER_FAILED,
            f"{child} does not scale: container {container} requests no {resource};"
            " add a request where the container is added, for example in the settings"
            " of the service mesh",
        )
    if _NO_METRICS.fullmatch(reason):
        return Finding(
            Reason.METRICS_UNAVAILABLE,
            f"{child} gets no metrics ({reason}) and does not scale; install"
            " metrics-server, or see `kubectl describe hpa`",
        )
    return Finding(Reason.AUTOSCALER_FAILED, f"{child} does not scale: {words}")


def find_metrics_seconds(observed: Observed) -> float:
    """Return in how many seconds a failing autoscaler is a cause; 0: it is."""
    since = parse_time(_find_failure(observed).get("lastTransitionTime"))
    grace = observed.platform.metrics_grace_seconds
    return find_seconds_left(observed.now, since, grace)


def is_at_most(observed: Observed) -> bool:
    """Tell whether the autoscaler wants more replicas than it may have."""
    limited = find_condition(_read_conditions(observed), "ScalingLimited") or {}
    return (limited.get("status"), limited.get("reason")) == ("True", _AT_MOST)


def _find_failure(observed: Observed) -> Mapping[str, Any]:
    """Return the condition by which the autoscaler says that it cannot scale."""
    conditions = _read_conditions(observed)
    found = (find_condition(conditions, kind) or {} for kind in _ABLE)
    failed = (
        condition
        for condition in found
        if condition.get("status") == "False" and condition.get("reason") != _NOT_ASKED
    )
    return next(failed, {})


def _read_conditions(observed: Observed) -> tuple[Mapping[str, Any], ...]:
    live = observed.children.get(_find_name(observed))
    status = (live.read().get("status") or {}) if live is not None else {}
    return tuple(status.get("conditions") or ())


def _find_name(observed: Observed) -> ChildId:
    return ChildId("HorizontalPodAutoscaler", observed.hub.name)
