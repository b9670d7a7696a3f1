"""Counters of what happens to requests of sessions.

The labels are few and known beforehand, so that every series exists from the start
and an alert on `refused` does not wait for the first one.
"""

from enum import StrEnum

from prometheus_client import CollectorRegistry, Counter


class SessionOutcome(StrEnum):
    """What became of a request that names a session."""

    LOCAL = "local"
    FORWARDED = "forwarded"
    ADOPTED = "adopted"
    REFUSED = "refused"
    OWNER_GONE = "owner_gone"


class SessionMetrics:
    """The series of one process."""

    def __init__(self, registry: CollectorRegistry) -> None:
        requests = Counter(
            "mcphub_session_requests",
            "Requests that name a session, by what became of them.",
            ["outcome"],
            registry=registry,
        )
        self._requests = {
            outcome: requests.labels(outcome) for outcome in SessionOutcome
        }

    def count(self, outcome: SessionOutcome) -> None:
        """Count one request."""
        self._requests[outcome].inc()
