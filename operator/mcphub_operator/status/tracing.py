"""Whether the replicas' traces reach the collector: a condition of its own.

Traces that get lost concern no client, so Ready says nothing about them.
"""

from collections.abc import Sequence

from mcphub_operator.observed import Observed, TracingReport
from mcphub_operator.spec.status_schema import ConditionStatus
from mcphub_operator.status.backends import find_reports
from mcphub_operator.status.condition_model import (
    ConditionType,
    Reason,
    find_condition,
)

MAX_MESSAGE = 512
_FAILING, _UNKNOWN = "Failing", "Unknown"


def has_traces(observed: Observed) -> bool:
    """Tell whether the hub sends traces."""
    return bool(observed.hub.spec.observability.otlp.endpoint)


def find_tracing_status(observed: Observed) -> tuple[ConditionStatus, Reason, str]:
    """Return the condition TracesExported of a hub that sends traces."""
    reports = find_reports(observed)
    if reports is None and (before := _find_before(observed)):
        return before
    told = [each.tracing for each in reports or () if each.tracing is not None]
    failing = [each for each in told if each.state == _FAILING]
    if failing:
        return ConditionStatus.FALSE, Reason.EXPORT_FAILING, _describe(failing, told)
    if any(each.state != _UNKNOWN for each in told):
        message = "the collector takes the spans"
        return ConditionStatus.TRUE, Reason.EXPORTED, message
    message = "no replica has sent a span yet"
    return ConditionStatus.UNKNOWN, Reason.NOT_REPORTED, message


def _describe(failing: Sequence[TracingReport], told: Sequence[TracingReport]) -> str:
    first = min(each.message for each in failing)  # the choice must not flicker
    return f"{first[:MAX_MESSAGE]} (on {len(failing)} of {len(told)} replicas)"


def _find_before(observed: Observed) -> tuple[ConditionStatus, Reason, str] | None:
    """Return what was known: a restarted operator rewrites no status that is true."""
    conditions = observed.status.get("conditions") or ()
    found = find_condition(conditions, ConditionType.TRACES_EXPORTED)
    if found is None:
        return None
    try:
        status = ConditionStatus(str(found.get("status")))
        reason = Reason(str(found.get("reason")))
    except ValueError:
        return None
    return status, reason, str(found.get("message") or "")
