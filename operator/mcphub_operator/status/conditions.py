"""The conditions of a hub, as pure functions of what was seen and done.

Ready is about the assistants: True while a replica serves them, whatever else is wrong.
What is wrong stands in its reason, so that `kubectl get mcphubs` shows it, and in
Stalled. A backend that is down does not touch Ready; that is what BackendsReachable is
for.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from mcphub_operator import names
from mcphub_operator.observed import Observed
from mcphub_operator.resources.manifest import ChildId
from mcphub_operator.spec.status_schema import (
    BackendState,
    ConditionStatus,
    ToolState,
)
from mcphub_operator.status.authentication import (
    find_auth_fault,
    find_keys_status,
    uses_keys,
)
from mcphub_operator.status.autoscaler import is_at_most
from mcphub_operator.status.causes import (
    find_address_fault,
    find_address_seconds,
    find_cause,
    find_overdue_seconds,
    find_service_cause,
    find_wait_too_long,
)
from mcphub_operator.status.certificate import find_verdict
from mcphub_operator.status.condition_model import (
    Condition,
    ConditionType,
    Reason,
    find_condition,
    find_status,
)
from mcphub_operator.status.findings import Finding, Findings
from mcphub_operator.status.rollout import Progress
from mcphub_operator.status.routes import find_routing
from mcphub_operator.status.tools import NOTHING_KNOWN, ToolsView
from mcphub_operator.status.tracing import find_tracing_status, has_traces
from mcphub_operator.status.unready_pods import HINT_SECONDS, find_wait_words


@dataclass(frozen=True, slots=True)
class StatusInput:
    """All that the conditions are built from."""

    observed: Observed
    findings: Findings
    progress: Progress
    backends: Sequence[Mapping[str, Any]]
    tools: ToolsView = NOTHING_KNOWN


def build_conditions(given: StatusInput) -> tuple[Condition, ...]:
    """Return the hub's conditions, in their fixed order."""
    return (
        Condition(ConditionType.READY, *_ready(given)),
        Condition(ConditionType.RECONCILING, *_reconciling(given)),
        Condition(ConditionType.STALLED, *_stalled(given)),
        Condition(ConditionType.SECRETS_RESOLVED, *_secrets(given)),
        *_keys(given),
        *_certificate(given),
        Condition(ConditionType.BACKENDS_REACHABLE, *_backends(given)),
        Condition(ConditionType.TOOLS_VALID, *_tools(given)),
        *_routed(given),
        *_traces(given),
        Condition(ConditionType.PAUSED, *_paused(given)),
    )


StatusReasonMessage = tuple[ConditionStatus, Reason, str]
DEFAULT_REPLICAS = 1
_PAUSED = "paused by the spec: only the status changes"
_FAILING = (ConditionType.RECONCILING, ConditionType.STALLED)
"""What says of a write that it fails again and again."""


def _ready(given: StatusInput) -> StatusReasonMessage:
    progress, blocking = given.progress, given.findings.blocking
    serves = progress.ready > 0 and _has_address(given)
    if given.observed.hub.is_being_deleted:
        return find_status(serves), Reason.DELETING, _deleting_message(given)
    if blocking:
        return find_status(serves), blocking[0].reason, blocking[0].message
    if failing := _find_failing(given):
        return find_status(serves), failing.reason, failing.message
    if progress.desired == 0:
        return ConditionStatus.FALSE, Reason.SCALED_TO_ZERO, _zero_message(given)
    if serves:
        return ConditionStatus.TRUE, *_while_serving(given)
    return ConditionStatus.FALSE, *_while_not_serving(given)


def _while_not_serving(given: StatusInput) -> tuple[Reason, str]:
    hub, progress = given.observed.hub, given.progress
    count = _rollout_message(progress)
    if cause := find_cause(given.observed, progress):
        return cause.reason, f"{count}; {cause.message}"
    if hub.spec.paused:
        return Reason.PAUSED_BY_SPEC, f"{count}; {_PAUSED}"
    lost = progress.finished_before and not _is_starting_again(given)
    if _is_stuck(given) or lost:
        return Reason.NO_READY_REPLICA, _with_wait(given)
    return Reason.PROGRESSING, _with_wait(given, HINT_SECONDS)


def _is_starting_again(given: StatusInput) -> bool:
    """Tell whether a hub comes back from zero replicas: Kubernetes calls it finished.

    It has neither served since nor used up its time.
    """
    before = given.observed.status.get("conditions") or ()
    ready = find_condition(before, ConditionType.READY) or {}
    return (
        ready.get("status") == ConditionStatus.FALSE
        and ready.get("reason") in (Reason.SCALED_TO_ZERO, Reason.PROGRESSING)
        and find_overdue_seconds(given.observed) > 0
    )


def _while_serving(given: StatusInput) -> tuple[Reason, str]:
    count = _rollout_message(given.progress)
    if cause := find_cause(given.observed, given.progress):
        return cause.reason, f"{count}; {cause.message}"
    if _is_stuck(given):
        return Reason.ROLLOUT_STUCK, _stuck_message(given)
    if given.findings.upgrade_stopped_by:
        return Reason.UPGRADE_PAUSED, _upgrade_message(given)
    if given.observed.hub.spec.paused:
        return Reason.PAUSED_BY_SPEC, f"{count}; {_PAUSED}"
    if not _is_settled(given):
        return Reason.PROGRESSING, _with_wait(given, HINT_SECONDS)
    return _while_complete(given)


def _while_complete(given: StatusInput) -> tuple[Reason, str]:
    if cause := find_service_cause(given.observed, given.backends):
        return cause.reason, cause.message
    count = _rollout_message(given.progress)
    return Reason.AVAILABLE, f"{count}{_limit(given)}{_ignored_replicas(given)}"


def _limit(given: StatusInput) -> str:
    """Say that the autoscaler would add replicas if it were allowed to."""
    if not is_at_most(given.observed):
        return ""
    return "; the autoscaler wants more than spec.autoscaling.maxReplicas"


def _zero_message(given: StatusInput) -> str:
    if given.observed.hub.spec.autoscaling is None:
        return "scaled to zero replicas"
    name = given.observed.hub.name
    return (
        "scaled to zero replicas, from which no autoscaler scales;"
        f" `kubectl scale deployment/{name} --replicas=1`"
    )


def _ignored_replicas(given: StatusInput) -> str:
    """Say that `kubectl scale` does nothing, once it was tried."""
    spec = given.observed.hub.spec
    if spec.autoscaling is None or spec.replicas == DEFAULT_REPLICAS:
        return ""
    return "; spec.replicas is ignored while spec.autoscaling is set"


def _has_address(given: StatusInput) -> bool:
    """Tell whether the hub owns its Service; without it no client reaches the pods."""
    return ChildId("Service", given.observed.hub.name) in given.observed.children


def _reconciling(given: StatusInput) -> StatusReasonMessage:
    if given.observed.hub.is_being_deleted:
        return ConditionStatus.TRUE, Reason.DELETING, _deleting_message(given)
    if given.observed.hub.spec.paused:
        return ConditionStatus.FALSE, Reason.PAUSED_BY_SPEC, ""
    transient = given.findings.transient
    stalling = _find_stalling(given)
    if transient and not stalling:
        return ConditionStatus.TRUE, transient[0].reason, transient[0].message
    if given.findings.blocking or _is_stuck(given) or stalling:
        return ConditionStatus.FALSE, Reason.SETTLED, "waiting for help; see Stalled"
    return _rolling_out(given)


def _rolling_out(given: StatusInput) -> StatusReasonMessage:
    if given.findings.upgrade_waits:
        return ConditionStatus.TRUE, Reason.UPGRADE_PAUSED, _upgrade_message(given)
    if not given.progress.complete:
        return (
            ConditionStatus.TRUE,
            Reason.PROGRESSING,
            _rollout_message(given.progress),
        )
    tools = given.tools
    if tools.behind and not tools.problem:
        message = (
            f"{tools.behind} of {tools.replicas} replicas have not read the tools and"
            " access rules yet"
        )
        return ConditionStatus.TRUE, Reason.PROGRESSING, message
    return ConditionStatus.FALSE, Reason.SETTLED, ""


def _stalled(given: StatusInput) -> StatusReasonMessage:
    blocking = given.findings.blocking
    if blocking:
        # A repair and an apply of one object may be refused in the same words.
        message = "; ".join(dict.fromkeys(finding.message for finding in blocking))
        return ConditionStatus.TRUE, blocking[0].reason, message
    if cause := _find_stalling(given):
        return ConditionStatus.TRUE, cause.reason, cause.message
    if _is_stuck(given):
        return ConditionStatus.TRUE, Reason.ROLLOUT_STUCK, _stuck_message(given)
    return ConditionStatus.FALSE, Reason.NOT_STALLED, ""


def _find_stalling(given: StatusInput) -> Finding | None:
    """Return why pods, an address or an object have been missing for too long."""
    if _is_left_alone(given):
        return None
    if cause := find_cause(given.observed, given.progress):
        overdue = given.progress.stuck or find_overdue_seconds(given.observed) <= 0
        return cause if overdue else None
    if failing := _find_failing(given):
        return failing if find_overdue_seconds(given.observed) <= 0 else None
    serves = given.progress.complete and given.progress.ready > 0
    overdue = serves and find_address_seconds(given.observed) <= 0
    return find_address_fault(given.observed) if overdue else None


def _find_failing(given: StatusInput) -> Finding | None:
    """Return what fails again and again; what fails once is mostly mended at once."""
    before = given.observed.status.get("conditions") or ()
    told = {(find_condition(before, kind) or {}).get("reason") for kind in _FAILING}
    if Reason.WRITE_FAILED not in told:
        return None
    return next(iter(given.findings.transient), None)


def _is_left_alone(given: StatusInput) -> bool:
    hub = given.observed.hub
    return hub.spec.paused or hub.is_being_deleted


def _secrets(given: StatusInput) -> StatusReasonMessage:
    missing = [
        p.message for p in given.findings.items if p.reason is Reason.SECRET_MISSING
    ]
    if missing:
        return ConditionStatus.FALSE, Reason.SECRET_MISSING, "; ".join(missing)
    fault = find_auth_fault(given.observed)
    if fault is not None and fault.reason is Reason.TOKENS_REFUSED:
        return ConditionStatus.FALSE, fault.reason, fault.message
    return ConditionStatus.TRUE, Reason.RESOLVED, "every Secret and key is there"


def _keys(given: StatusInput) -> Iterator[Condition]:
    """Yield the condition that only hubs with an identity provider have."""
    if uses_keys(given.observed):
        yield Condition(ConditionType.KEYS_AVAILABLE, *find_keys_status(given.observed))


def _certificate(given: StatusInput) -> Iterator[Condition]:
    """Yield the condition that only hubs with TLS on their pods have."""
    if verdict := find_verdict(given.observed):
        yield Condition(ConditionType.CERTIFICATE_VALID, *verdict)


def _routed(given: StatusInput) -> Iterator[Condition]:
    """Yield the condition that only hubs with a route or an Ingress have."""
    if routing := find_routing(given.observed):
        yield Condition(
            ConditionType.ROUTED, routing.status, routing.reason, routing.message
        )


def _traces(given: StatusInput) -> Iterator[Condition]:
    """Yield the condition that only hubs with traces have."""
    if has_traces(given.observed):
        found = find_tracing_status(given.observed)
        yield Condition(ConditionType.TRACES_EXPORTED, *found)


def _backends(given: StatusInput) -> StatusReasonMessage:
    if not given.backends:
        return ConditionStatus.TRUE, Reason.NO_BACKENDS, "no backend is enabled"
    states = {str(b["name"]): b["state"] for b in given.backends}
    bad = [
        n
        for n, s in states.items()
        if s in (BackendState.UNREACHABLE, BackendState.DEGRADED)
    ]
    if bad:
        return (
            ConditionStatus.FALSE,
            Reason.SOME_UNREACHABLE,
            f"not connected: {', '.join(bad)}",
        )
    unknown = [n for n, s in states.items() if s != BackendState.CONNECTED]
    if unknown:
        message = f"nothing reported yet about: {', '.join(unknown)}"
        return ConditionStatus.UNKNOWN, Reason.NOT_REPORTED, message
    return ConditionStatus.TRUE, Reason.ALL_CONNECTED, "all backends are connected"


def _tools(given: StatusInput) -> StatusReasonMessage:
    view = given.tools
    if view.problem:
        return ConditionStatus.FALSE, Reason.CONFIGURATION_REJECTED, view.problem
    spec = given.observed.hub.spec
    if not view.known and (view.declared or spec.access or spec.prompts):
        return ConditionStatus.UNKNOWN, Reason.NOT_REPORTED, "no replica has reported"
    if invalid := _list_invalid(view):
        return ConditionStatus.FALSE, Reason.SOME_INVALID, "; ".join(invalid)
    if view.tools:
        unchecked = ", ".join(t["name"] for t in view.tools)
        message = f"not checked against the database yet: {unchecked}"
        return ConditionStatus.UNKNOWN, Reason.NOT_CHECKED, message
    return ConditionStatus.TRUE, *_good_tools(view)


def _list_invalid(view: ToolsView) -> list[str]:
    tools = [t for t in view.tools if t["state"] == ToolState.INVALID]
    return [
        *(f"{t['name']}: {t.get('message', '')}" for t in tools),
        *(f"prompt {p['name']}: {p.get('message', '')}" for p in view.prompts),
    ]


def _good_tools(view: ToolsView) -> tuple[Reason, str]:
    odd = "; ".join(("", *view.warnings))
    if not view.declared:
        return Reason.NO_TOOLS, f"no tool is declared{odd}"
    return Reason.ALL_READY, f"{view.ready} of {view.declared} tools are ready{odd}"


def _paused(given: StatusInput) -> StatusReasonMessage:
    if given.observed.hub.spec.paused:
        return ConditionStatus.TRUE, Reason.PAUSED_BY_SPEC, _PAUSED
    return (
        ConditionStatus.FALSE,
        Reason.NOT_PAUSED,
        "the operator keeps the hub as specified",
    )


def _is_stuck(given: StatusInput) -> bool:
    """Tell whether waiting longer for pods is of no use."""
    if given.progress.stuck:
        return True
    overdue = find_wait_too_long(given.observed, given.progress)
    return bool(overdue) and not _is_left_alone(given)


def _is_settled(given: StatusInput) -> bool:
    return given.progress.complete and not given.findings.upgrade_waits


def _rollout_message(progress: Progress) -> str:
    count = f"{progress.ready} of {progress.desired} replicas ready"
    if progress.updated < progress.total:
        return f"{count}, {progress.updated} of {progress.desired} new pods started"
    return count


def _with_wait(given: StatusInput, seconds: float = 0.0) -> str:
    """Return how far the hub is, and what a pod has waited for this long."""
    count = _rollout_message(given.progress)
    if given.progress.complete:
        return count
    words = find_wait_words(given.observed, seconds)
    return f"{count}; {words}" if words else count


def _stuck_message(given: StatusInput) -> str:
    if find_wait_words(given.observed):
        return _with_wait(given)
    selector = f"{names.LABEL_INSTANCE}={given.observed.hub.name}"
    return (
        f"{_rollout_message(given.progress)}, and none became ready in time;"
        f" `kubectl describe pods -l {selector}` shows why"
    )


def _deleting_message(given: StatusInput) -> str:
    listed = ", ".join(given.observed.hub.finalizers)
    return f"the hub is being deleted and waits for its finalizers: {listed}"


def _upgrade_message(given: StatusInput) -> str:
    stuck = given.findings.upgrade_stopped_by
    if stuck:
        return f"the upgrade stopped: hub {stuck} did not come Ready with it"
    return "waiting for its turn in the upgrade"
