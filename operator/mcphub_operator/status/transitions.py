"""Which changes of the status deserve an Event: one per transition, none at rest."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from mcphub_operator.status.condition_model import ConditionType, Reason, find_condition
from mcphub_operator.status.pod_faults import SEVERITY

_QUIET = frozenset({Reason.PROGRESSING, Reason.SETTLED, Reason.NOT_STALLED})
_BY_REQUEST = frozenset({Reason.SCALED_TO_ZERO, Reason.PAUSED_BY_SPEC})
"""What a user asked for is no reason to warn."""
_AT_FIRST = frozenset(
    {Reason.ADDRESS_PENDING, Reason.UNSCHEDULABLE, Reason.WRITE_FAILED}
)
"""What each new load balancer and each scale-up of a node group goes through, and what
the next try may mend. Stalled says when it has lasted."""
_GOOD = {
    ConditionType.STALLED: "False",
    ConditionType.PAUSED: "False",
    ConditionType.READY: "True",
    ConditionType.SECRETS_RESOLVED: "True",
    ConditionType.KEYS_AVAILABLE: "True",
    ConditionType.CERTIFICATE_VALID: "True",
    ConditionType.BACKENDS_REACHABLE: "True",
    ConditionType.TOOLS_VALID: "True",
    ConditionType.TRACES_EXPORTED: "True",
}
_WHILE_READY = frozenset(
    {
        Reason.KEYS_MISSING,
        Reason.TOKENS_REFUSED,
        Reason.CERTIFICATE_EXPIRED,
        Reason.CERTIFICATE_NOT_YET_VALID,
        Reason.BACKENDS_DOWN,
        Reason.CONTROLLER_UNAVAILABLE,
        Reason.PODS_REFUSED,
        Reason.NODE_NOT_READY,
        Reason.ROLLOUT_STUCK,
        Reason.ADDRESS_PENDING,
        Reason.NOT_ROUTED,
        Reason.METRICS_UNAVAILABLE,
        Reason.AUTOSCALER_FAILED,
        Reason.PODS_EVICTED,
        Reason.PODS_ENDED,
        *SEVERITY,
    }
)
"""Reasons that deserve a warning while a hub serves."""
_FIRST_NEWS = {ConditionType.READY, ConditionType.STALLED}
"""Transitions of a new hub that deserve an Event before anything went wrong."""


@dataclass(frozen=True, slots=True)
class Transition:
    """A change of a condition, as an Event reports it."""

    condition: str
    reason: str
    message: str
    warning: bool


def find_transitions(
    before: Mapping[str, Any], after: Mapping[str, Any]
) -> tuple[Transition, ...]:
    """Compare two statuses; changed counts alone are no transition."""
    old, new = before.get("conditions") or (), after.get("conditions") or ()
    found: dict[str, Transition] = {}
    for kind in _GOOD:
        now = find_condition(new, kind)
        was = find_condition(old, kind)
        if now is not None and _is_news(kind, was, now):
            message = now.get("message") or f"{kind} is {now['status']}"
            usual = now["reason"] in _BY_REQUEST or (
                now["reason"] in _AT_FIRST and kind is not ConditionType.STALLED
            )
            warning = _is_bad(kind, now) and not usual
            told = Transition(kind, now["reason"], message, warning)
            # One cause shows in several conditions and is told once, by the first:
            # a hub with a problem is Stalled, and may still be Ready.
            found.setdefault(told.reason, told)
    return tuple(found.values())


def _is_bad(kind: ConditionType, now: Mapping[str, Any]) -> bool:
    fault = kind is ConditionType.READY and now["reason"] in _WHILE_READY
    return bool(fault or now["status"] != _GOOD[kind])


def _is_news(
    kind: ConditionType, was: Mapping[str, Any] | None, now: Mapping[str, Any]
) -> bool:
    if now["reason"] in _QUIET or now["status"] == "Unknown":
        return False
    if was is None:
        return now["status"] != _GOOD[kind] or kind in _FIRST_NEWS
    return (was.get("status"), was.get("reason")) != (now["status"], now["reason"])
