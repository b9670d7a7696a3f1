"""Counters of the requests of sessions.

The labels are few and known in advance, so every series exists from the start, and an
alert on `refused` does not miss the first one.
"""

from enum import StrEnum

from prometheus_client import CollectorRegistry, Counter


class SessionOutcome(StrEnum):
    """How a request that names a session was answered."""

    LOCAL = "local"
    FORWARDED = "forwarded"
    ADOPTED = "adopted"
    REFUSED = "refused"
    OWNER_GONE = "owner_gone"


class ResumeOutcome(StrEnum):
    """How a client that lost a response was answered."""

    FOLLOWED = "followed"
    FORWARDED = "forwarded"
    REPEATED = "repeated"
    LOST = "lost"
    REFUSED = "refused"


class SessionMetrics:
    """The series of one process."""

    def __init__(self, registry: CollectorRegistry) -> None:
        requests = Counter(
            "mcphub_session_requests",
            "Requests that name a session, by outcome.",
            ["outcome"],
            registry=registry,
        )
        self._requests = {
            outcome: requests.labels(outcome) for outcome in SessionOutcome
        }
        resumed = Counter(
            "mcphub_responses_resumed",
            "Clients that asked for a response again, by outcome.",
            ["outcome"],
            registry=registry,
        )
        self._resumed = {outcome: resumed.labels(outcome) for outcome in ResumeOutcome}

    def count(self, outcome: SessionOutcome) -> None:
        """Count one request."""
        self._requests[outcome].inc()

    def count_resumed(self, outcome: ResumeOutcome) -> None:
        """Count one client that came back for a response."""
        self._resumed[outcome].inc()
