"""What the replicas say of authentication: signing keys, and tokens that are refused.

A replica that was not asked yet says nothing: while none was, as after a restart of the
operator, what the status said before still holds.
"""

from collections.abc import Iterator

from mcphub_operator.observed import AuthReport, Observed
from mcphub_operator.spec.access import AuthType
from mcphub_operator.spec.status_schema import ConditionStatus
from mcphub_operator.status.backends import find_reports
from mcphub_operator.status.condition_model import (
    ConditionType,
    Reason,
    find_condition,
)
from mcphub_operator.status.findings import Finding

_FAULTS = {str(r): r for r in (Reason.KEYS_MISSING, Reason.TOKENS_REFUSED)}
MAX_MESSAGE = 512


def uses_keys(observed: Observed) -> bool:
    """Tell whether the hub checks tokens by an issuer's signing keys."""
    return observed.hub.spec.auth.type is AuthType.JWT


def find_auth_fault(observed: Observed) -> Finding | None:
    """Return why clients cannot authenticate, as the replicas report it."""
    reports = find_reports(observed)
    if reports is None:
        return next(_known_before(observed), None)
    told = [report.auth for report in reports if report.auth is not None]
    faults = [auth for auth in told if auth.reason in _FAULTS]
    if not faults:
        return None
    # Replicas may word the same fault differently; the choice must not flicker.
    first = min(faults, key=_order)
    message = first.message[:MAX_MESSAGE]
    share = f"on {len(faults)} of {len(told)} replicas"
    return Finding(_FAULTS[first.reason], f"{message} ({share})")


def find_keys_status(observed: Observed) -> tuple[ConditionStatus, Reason, str]:
    """Return the condition KeysAvailable of a hub that uses signing keys."""
    fault = find_auth_fault(observed)
    if fault is not None and fault.reason is Reason.KEYS_MISSING:
        return ConditionStatus.FALSE, fault.reason, fault.message
    reports = find_reports(observed)
    if reports is None and _find_before(observed) is not None:
        return ConditionStatus.TRUE, Reason.KEYS_FETCHED, _FETCHED
    if not any(report.auth is not None for report in reports or ()):
        return ConditionStatus.UNKNOWN, Reason.NOT_REPORTED, _NOT_REPORTED
    return ConditionStatus.TRUE, Reason.KEYS_FETCHED, _FETCHED


_FETCHED = "every replica has signing keys of the issuer"
_NOT_REPORTED = "no ready replica has reported yet"


def _order(auth: AuthReport) -> tuple[str, str]:
    return auth.reason, auth.message


def _find_before(observed: Observed) -> object:
    conditions = observed.status.get("conditions") or ()
    found = find_condition(conditions, ConditionType.KEYS_AVAILABLE) or {}
    return found if found.get("status") == ConditionStatus.TRUE else None


def _known_before(observed: Observed) -> Iterator[Finding]:
    conditions = observed.status.get("conditions") or ()
    for kind in (ConditionType.KEYS_AVAILABLE, ConditionType.SECRETS_RESOLVED):
        found = find_condition(conditions, kind) or {}
        reason = _FAULTS.get(str(found.get("reason")))
        if reason is not None:
            yield Finding(reason, str(found.get("message") or ""))
