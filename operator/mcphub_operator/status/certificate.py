"""Whether clients accept the certificate of a hub with TLS, and until when.

What no server can use holds the hub's pods as they are: they serve with the certificate
that they have. One that is expired is served; clients say what they think of it.
"""

from collections.abc import Iterator
from typing import NamedTuple

from mcphub_operator.certificates import Certificate, Flaw
from mcphub_operator.observed import Observed
from mcphub_operator.spec.status_schema import ConditionStatus
from mcphub_operator.status.condition_model import Reason, format_time
from mcphub_operator.status.findings import Finding

_REASONS = {
    Flaw.CERTIFICATE: Reason.CERTIFICATE_INVALID,
    Flaw.KEY: Reason.CERTIFICATE_INVALID,
    Flaw.MISMATCH: Reason.CERTIFICATE_KEY_MISMATCH,
}


class Verdict(NamedTuple):
    """The condition CertificateValid."""

    status: ConditionStatus
    reason: Reason
    message: str


def find_unusable(observed: Observed) -> Iterator[Finding]:
    """Yield why no server can use the certificate."""
    found = observed.user_secrets.certificate
    if found is not None and found.flaw is not None:
        where = f"Secret {_find_name(observed)}"
        yield Finding(
            _REASONS[found.flaw],
            f"{where}: {found.flaw}; pods keep the certificate that they have",
        )


def find_expiry_fault(observed: Observed) -> Finding | None:
    """Return why clients refuse a certificate that servers can use."""
    verdict = find_verdict(observed)
    if verdict is None or verdict.reason not in _BY_TIME:
        return None
    return Finding(verdict.reason, verdict.message)


_BY_TIME = (Reason.CERTIFICATE_EXPIRED, Reason.CERTIFICATE_NOT_YET_VALID)


def find_verdict(observed: Observed) -> Verdict | None:
    """Return the condition of a hub with TLS; None of one without."""
    name = _find_name(observed)
    if not name:
        return None
    for missing in observed.user_secrets.missing:
        if missing.secret == name:
            told = f"has no key {missing.key}" if missing.key else "does not exist"
            message = f"Secret {name} {told}; pods keep the certificate that they have"
            return Verdict(ConditionStatus.FALSE, Reason.SECRET_MISSING, message)
    for unusable in find_unusable(observed):
        return Verdict(ConditionStatus.FALSE, unusable.reason, unusable.message)
    found = observed.user_secrets.certificate or Certificate()
    return _judge_times(observed, f"the certificate in Secret {name}", found)


def find_certificate_seconds(observed: Observed) -> float:
    """Return in how many seconds the condition changes by itself; 0: it does not."""
    found = observed.user_secrets.certificate or Certificate()
    moments = (found.not_before, found.not_after)
    left = [(at - observed.now).total_seconds() for at in moments if at is not None]
    return min((seconds for seconds in left if seconds > 0), default=0.0)


def _judge_times(observed: Observed, what: str, found: Certificate) -> Verdict:
    if found.not_before is None or found.not_after is None:
        message = f"{what} was not read yet"
        return Verdict(ConditionStatus.UNKNOWN, Reason.NOT_CHECKED, message)
    begin, end = format_time(found.not_before), format_time(found.not_after)
    if observed.now < found.not_before:
        message = f"{what} is not valid before {begin}; clients refuse it until then"
        return Verdict(ConditionStatus.FALSE, Reason.CERTIFICATE_NOT_YET_VALID, message)
    if observed.now > found.not_after:
        message = f"{what} expired at {end}; clients refuse it; renew it"
        return Verdict(ConditionStatus.FALSE, Reason.CERTIFICATE_EXPIRED, message)
    message = f"{what} is valid until {end}"
    return Verdict(ConditionStatus.TRUE, Reason.CERTIFICATE_ACCEPTED, message)


def _find_name(observed: Observed) -> str:
    tls = observed.hub.spec.tls
    return tls.secret_ref.name if tls is not None else ""
