"""The six conditions of a hub, as pure functions of what was seen and done.

Ready is about the assistants: True while a replica serves them, whatever else is wrong.
What is wrong stands in its reason, so that `kubectl get mcphubs` shows it, and in
Stalled. A backend that is down does not touch Ready; that is what BackendsReachable is
for.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from mcphub_operator import names
from mcphub_operator.observed import Observed
from mcphub_operator.resources.manifest import ChildId
from mcphub_operator.status.backends import State
from mcphub_operator.status.condition_model import (
    Condition,
    ConditionStatus,
    ConditionType,
    Reason,
)
from mcphub_operator.status.findings import Findings
from mcphub_operator.status.rollout import Progress


@dataclass(frozen=True, slots=True)
class StatusInput:
    """All that the verdict rests on."""

    observed: Observed
    outcome: Findings
    progress: Progress
    backends: Sequence[Mapping[str, Any]]


def build_conditions(case: StatusInput) -> tuple[Condition, ...]:
    """Return the hub's conditions, in their fixed order."""
    return (
        Condition(ConditionType.READY, *_ready(case)),
        Condition(ConditionType.RECONCILING, *_reconciling(case)),
        Condition(ConditionType.STALLED, *_stalled(case)),
        Condition(ConditionType.SECRETS_RESOLVED, *_secrets(case)),
        Condition(ConditionType.BACKENDS_REACHABLE, *_backends(case)),
        Condition(ConditionType.PAUSED, *_paused(case)),
    )


Verdict = tuple[ConditionStatus, Reason, str]
_PAUSED = "paused by the spec: only the status changes"


def _ready(case: StatusInput) -> Verdict:
    progress, blocking = case.progress, case.outcome.blocking
    serves = progress.ready > 0 and _has_address(case)
    if blocking:
        return ConditionStatus.of(serves), blocking[0].reason, blocking[0].message
    if progress.desired == 0:
        return ConditionStatus.FALSE, Reason.SCALED_TO_ZERO, "scaled to zero replicas"
    count = _rollout_message(progress)
    if not serves:
        lost = progress.stuck or progress.finished_before
        reason = Reason.NO_READY_REPLICA if lost else Reason.PROGRESSING
        return ConditionStatus.FALSE, reason, count
    return ConditionStatus.TRUE, *_while_serving(case)


def _while_serving(case: StatusInput) -> tuple[Reason, str]:
    count = _rollout_message(case.progress)
    if case.progress.stuck:
        return Reason.ROLLOUT_STUCK, _stuck_message(case)
    if case.outcome.upgrade_stopped_by:
        return Reason.UPGRADE_PAUSED, _upgrade_message(case)
    if case.observed.hub.spec.paused:
        return Reason.PAUSED_BY_SPEC, f"{count}; {_PAUSED}"
    return (Reason.AVAILABLE if _is_settled(case) else Reason.PROGRESSING), count


def _has_address(case: StatusInput) -> bool:
    """Pods behind a Service that is somebody else's serve nobody."""
    return ChildId("Service", case.observed.hub.name) in case.observed.children


def _reconciling(case: StatusInput) -> Verdict:
    if case.observed.hub.spec.paused:
        return ConditionStatus.FALSE, Reason.PAUSED_BY_SPEC, ""
    transient = [p for p in case.outcome.findings if not p.needs_help]
    if transient:
        return ConditionStatus.TRUE, transient[0].reason, transient[0].message
    if case.outcome.blocking or case.progress.stuck:
        return ConditionStatus.FALSE, Reason.SETTLED, "waiting for help; see Stalled"
    if case.outcome.upgrade_waits:
        return ConditionStatus.TRUE, Reason.UPGRADE_PAUSED, _upgrade_message(case)
    if not case.progress.complete:
        return ConditionStatus.TRUE, Reason.PROGRESSING, _rollout_message(case.progress)
    return ConditionStatus.FALSE, Reason.SETTLED, ""


def _stalled(case: StatusInput) -> Verdict:
    blocking = case.outcome.blocking
    if blocking:
        message = "; ".join(finding.message for finding in blocking)
        return ConditionStatus.TRUE, blocking[0].reason, message
    if case.progress.stuck:
        return ConditionStatus.TRUE, Reason.ROLLOUT_STUCK, _stuck_message(case)
    return ConditionStatus.FALSE, Reason.NOT_STALLED, ""


def _secrets(case: StatusInput) -> Verdict:
    missing = [
        p.message for p in case.outcome.findings if p.reason is Reason.SECRET_MISSING
    ]
    if missing:
        return ConditionStatus.FALSE, Reason.SECRET_MISSING, "; ".join(missing)
    return ConditionStatus.TRUE, Reason.RESOLVED, "every Secret and key is there"


def _backends(case: StatusInput) -> Verdict:
    if not case.backends:
        return ConditionStatus.TRUE, Reason.NO_BACKENDS, "no backend is enabled"
    states = {str(b["name"]): b["state"] for b in case.backends}
    bad = [n for n, s in states.items() if s in (State.UNREACHABLE, State.DEGRADED)]
    if bad:
        return (
            ConditionStatus.FALSE,
            Reason.SOME_UNREACHABLE,
            f"not connected: {', '.join(bad)}",
        )
    unknown = [n for n, s in states.items() if s != State.CONNECTED]
    if unknown:
        message = f"nothing reported yet about: {', '.join(unknown)}"
        return ConditionStatus.UNKNOWN, Reason.NOT_REPORTED, message
    return ConditionStatus.TRUE, Reason.ALL_CONNECTED, "all backends are connected"


def _paused(case: StatusInput) -> Verdict:
    if case.observed.hub.spec.paused:
        return ConditionStatus.TRUE, Reason.PAUSED_BY_SPEC, _PAUSED
    return (
        ConditionStatus.FALSE,
        Reason.NOT_PAUSED,
        "the operator keeps the hub as specified",
    )


def _is_settled(case: StatusInput) -> bool:
    return case.progress.complete and not case.outcome.upgrade_waits


def _rollout_message(progress: Progress) -> str:
    count = f"{progress.ready} of {progress.desired} replicas ready"
    if progress.updated < progress.total:
        return f"{count}, {progress.updated} of {progress.desired} new pods started"
    return count


def _stuck_message(case: StatusInput) -> str:
    selector = f"{names.LABEL_INSTANCE}={case.observed.hub.name}"
    return (
        f"{_rollout_message(case.progress)}, and none became ready in time;"
        f" `kubectl describe pods -l {selector}` tells why"
    )


def _upgrade_message(case: StatusInput) -> str:
    stuck = case.outcome.upgrade_stopped_by
    if stuck:
        return f"the upgrade stopped: hub {stuck} did not come Ready with it"
    return "waiting for its turn in the upgrade"
