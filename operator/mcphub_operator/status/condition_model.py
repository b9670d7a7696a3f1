"""Conditions by Kubernetes' API conventions, and every reason that stands in them.

kstatus reads them too: Reconciling and Stalled are abnormal-true, Ready normal-true.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from mcphub_operator.spec.status_schema import ConditionStatus

MAX_MESSAGE = 1024


class ConditionType(StrEnum):
    """The conditions of a hub, in the order in which they are written."""

    READY = "Ready"
    RECONCILING = "Reconciling"
    STALLED = "Stalled"
    SECRETS_RESOLVED = "SecretsResolved"
    KEYS_AVAILABLE = "KeysAvailable"
    CERTIFICATE_VALID = "CertificateValid"
    BACKENDS_REACHABLE = "BackendsReachable"
    TOOLS_VALID = "ToolsValid"
    ROUTED = "Routed"
    TRACES_EXPORTED = "TracesExported"
    PAUSED = "Paused"


class Reason(StrEnum):
    """Why a condition is as it is."""

    AVAILABLE = "Available"
    PROGRESSING = "Progressing"
    NO_READY_REPLICA = "NoReadyReplica"
    SCALED_TO_ZERO = "ScaledToZero"
    SECRET_MISSING = "SecretMissing"  # noqa: S105 - a reason
    CONFLICT = "Conflict"
    CERTIFICATE_INVALID = "CertificateInvalid"
    CERTIFICATE_KEY_MISMATCH = "CertificateKeyMismatch"
    CERTIFICATE_EXPIRED = "CertificateExpired"
    CERTIFICATE_NOT_YET_VALID = "CertificateNotYetValid"
    NODE_PORT_UNAVAILABLE = "NodePortUnavailable"
    INVALID_SPEC = "InvalidSpec"
    UPGRADE_PAUSED = "UpgradePaused"
    DELETING = "Deleting"
    WRITE_DENIED = "WriteDenied"
    FIELD_CONTESTED = "FieldContested"

    CONTROLLER_UNAVAILABLE = "ControllerUnavailable"
    PODS_REFUSED = "PodsRefused"
    NODE_NOT_READY = "NodeNotReady"
    OUT_OF_MEMORY = "OutOfMemory"
    CRASH_LOOPING = "CrashLooping"
    IMAGE_PULL_FAILED = "ImagePullFailed"
    CONFIGURATION_ERROR = "ConfigurationError"
    UNSCHEDULABLE = "Unschedulable"
    PODS_EVICTED = "PodsEvicted"
    PODS_ENDED = "PodsEnded"
    ROLLOUT_PAUSED = "RolloutPaused"
    KEYS_MISSING = "KeysMissing"
    TOKENS_REFUSED = "TokensRefused"
    BACKENDS_DOWN = "BackendsDown"
    ADDRESS_PENDING = "AddressPending"
    NOT_ROUTED = "NotRouted"
    METRICS_UNAVAILABLE = "MetricsUnavailable"
    AUTOSCALER_FAILED = "AutoscalerFailed"

    WRITE_FAILED = "WriteFailed"
    ROLLOUT_STUCK = "RolloutStuck"
    SETTLED = "Settled"
    NOT_STALLED = "NotStalled"
    RESOLVED = "Resolved"
    CERTIFICATE_ACCEPTED = "CertificateAccepted"
    KEYS_FETCHED = "KeysFetched"
    NO_BACKENDS = "NoBackends"
    ALL_CONNECTED = "AllConnected"
    SOME_UNREACHABLE = "SomeUnreachable"
    NOT_REPORTED = "NotReported"
    NO_TOOLS = "NoTools"
    ALL_READY = "AllReady"
    SOME_INVALID = "SomeInvalid"
    NOT_CHECKED = "NotChecked"
    CONFIGURATION_REJECTED = "ConfigurationRejected"
    ACCEPTED = "Accepted"
    NOT_ACCEPTED = "NotAccepted"
    GATEWAY_API_MISSING = "GatewayAPIMissing"
    ROUTES_DISABLED = "RoutesDisabled"
    EXPORTED = "Exported"
    EXPORT_FAILING = "ExportFailing"
    PAUSED_BY_SPEC = "PausedBySpec"
    NOT_PAUSED = "NotPaused"


QUOTED = frozenset(
    {
        Reason.WRITE_FAILED,
        Reason.WRITE_DENIED,
        Reason.INVALID_SPEC,
        Reason.AUTOSCALER_FAILED,
    }
)
"""Reasons whose message is Kubernetes', which words one fault in many ways."""


@dataclass(frozen=True, slots=True)
class Condition:
    """One condition before it meets its past."""

    type: ConditionType
    status: ConditionStatus
    reason: Reason
    message: str = ""


def find_status(value: bool) -> ConditionStatus:  # noqa: FBT001 - a conversion
    """Return True or False as a condition's status."""
    return ConditionStatus.TRUE if value else ConditionStatus.FALSE


def format_time(moment: datetime) -> str:
    """Return a time as Kubernetes writes it."""
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def merge_conditions(
    current: Sequence[Condition],
    previous: Sequence[Mapping[str, Any]],
    generation: int,
    now: datetime,
) -> list[dict[str, Any]]:
    """Return conditions for the status: the hub's own, then other controllers'.

    A time changes only with the truth, and a message that quotes the API server only
    with the reason, its subject or the hub: a fault that stays must not be written
    again and again.
    """
    before = {str(old.get("type")): old for old in previous}
    made = [
        {
            "type": str(condition.type),
            "status": str(condition.status),
            "reason": str(condition.reason),
            "message": _message(before.get(condition.type), condition, generation),
            "observedGeneration": generation,
            "lastTransitionTime": _since(before.get(condition.type), condition, now),
        }
        for condition in current
    ]
    own = {str(condition_type) for condition_type in ConditionType}
    foreign = [dict(old) for old in previous if str(old.get("type")) not in own]
    return [*made, *foreign]


def _message(
    before: Mapping[str, Any] | None, condition: Condition, generation: int
) -> str:
    if before is not None and condition.reason in QUOTED:
        known = (before.get("reason"), before.get("observedGeneration"))
        told = str(before.get("message") or "")
        is_same = (
            condition.reason is Reason.WRITE_FAILED  # tried again, and by turns
            or _find_subject(told) == _find_subject(condition.message)
        )
        if known == (condition.reason, generation) and is_same:
            return told
    return condition.message[:MAX_MESSAGE]


def _find_subject(message: str) -> str:
    """Return what a message is about: before a colon it names the object."""
    subject, colon, _ = message.partition(": ")
    return subject if colon else ""


def _since(
    before: Mapping[str, Any] | None, condition: Condition, now: datetime
) -> str:
    if before is not None and before.get("status") == condition.status:
        return str(before.get("lastTransitionTime") or format_time(now))
    return format_time(now)


def find_condition(
    conditions: Sequence[Mapping[str, Any]], kind: str
) -> Mapping[str, Any] | None:
    """Return the condition of a type, if it is there."""
    return next((c for c in conditions if c.get("type") == kind), None)
