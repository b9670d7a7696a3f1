"""The state of each backend: the worst over the replicas that serve.

A replica that has not been asked yet says nothing, and does not make a known state
unknown: neither a new pod nor a restarted operator rewrites a status that is still
true. Terminating pods do not count.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from mcphub_operator.observed import BackendReport, Observed, PodReport
from mcphub_operator.spec.backends.backend import Backend
from mcphub_operator.spec.status_schema import BackendState
from mcphub_operator.status.condition_model import format_time

_SEVERITY = (
    BackendState.CONNECTED,
    BackendState.UNKNOWN,
    BackendState.DEGRADED,
    BackendState.UNREACHABLE,
)
_STATES = {str(state): state for state in BackendState}
MAX_MESSAGE = 512
MAX_REASON = 64


def build_backends(observed: Observed) -> list[dict[str, Any]]:
    """Return the status of every enabled backend, in the spec's order."""
    before = {b.get("name"): b for b in observed.status.get("backends") or ()}
    reports = find_reports(observed)
    return [
        _build(backend, reports, before.get(backend.name), observed.now)
        for backend in observed.hub.spec.backends
        if backend.enabled
    ]


def find_reports(observed: Observed) -> tuple[PodReport, ...] | None:
    """Return what the ready replicas said; None while none of them was asked."""
    ready = [pod for pod in observed.pods if pod.ready and not pod.terminating]
    asked = [observed.reports[pod.uid] for pod in ready if pod.uid in observed.reports]
    if ready and not asked:
        return None
    return tuple(asked)


def _build(
    backend: Backend,
    reports: Sequence[PodReport] | None,
    before: Mapping[str, Any] | None,
    now: datetime,
) -> dict[str, Any]:
    same_type = before is not None and before.get("type") == backend.type
    if reports is None and before is not None and same_type:
        return dict(before)
    found = list(_about(backend.name, reports or ()))
    state, reason, message = _worst(found)
    kept = before is not None and same_type and before.get("state") == state
    since = before.get("lastTransitionTime") if before is not None and kept else None
    entry = {
        "name": backend.name,
        "type": backend.type,
        "state": str(state),
        "reason": reason[:MAX_REASON],
        "message": message[:MAX_MESSAGE],
        "lastTransitionTime": since or format_time(now),
    }
    return {key: value for key, value in entry.items() if value != ""}


def _about(name: str, reports: Iterable[PodReport]) -> Iterable[BackendReport]:
    for report in reports:
        found = (b for b in report.backends if b.name == name)
        yield next(found, BackendReport(name, BackendState.UNKNOWN))


def _worst(found: Sequence[BackendReport]) -> tuple[BackendState, str, str]:
    if not found:
        return BackendState.UNKNOWN, "", "no ready replica has reported yet"
    state = max((_state(b) for b in found), key=_SEVERITY.index)
    if state is BackendState.CONNECTED:
        return state, "", ""
    affected = [b for b in found if _state(b) is state]
    # Replicas may word the same fault differently; the choice must not flicker.
    first = min(affected, key=lambda b: (b.reason, b.message))
    share = f"on {len(affected)} of {len(found)} replicas"
    message = f"{first.message} ({share})" if first.message else share
    return state, first.reason, message


def _state(report: BackendReport) -> BackendState:
    return _STATES.get(report.state, BackendState.UNKNOWN)
