"""Every call of every client, and what became of it; pure.

A call is answered right, answered with an error, or lost: no answer within its limit.
Nothing else can become of it, so the three add up to all calls.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from itertools import groupby
from math import ceil
from operator import attrgetter


class Outcome(StrEnum):
    """What became of a call."""

    RIGHT = "right"
    ERROR = "error"
    LOST = "lost"


class RecoveryKind(StrEnum):
    """How a client came back from a fault."""

    RECONNECTED = "reconnected"  # the client opened its stream again by itself
    RESUMED = "resumed"  # the client asked for the rest of one reply by itself
    REOPENED = "reopened"  # the program around the client began a new session


@dataclass(frozen=True, slots=True)
class Call:
    """One call.

    Attributes:
        kind: The kind of client, a line of the table.
        member: Which of the clients.
        started: When it was made, in seconds of a monotonic clock.
        ended: When it was answered, or given up.
        waiting: What it took beyond the time that its statement takes by itself.
        orphaned: The stream for its answer had ended before a hub accepted it: none
            could answer it any more.
        detail: What the client said when it failed.
    """

    kind: str
    member: int
    started: float
    ended: float
    waiting: float
    outcome: Outcome
    orphaned: bool = False
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Recovery:
    """One return of one client."""

    kind: str
    at: float
    how: RecoveryKind


@dataclass(slots=True)
class Ledger:
    """All that happened, in the order in which it ended."""

    calls: list[Call] = field(default_factory=list)
    recoveries: list[Recovery] = field(default_factory=list)

    def between(self, start: float, end: float) -> "Ledger":
        """Return what ended in a part of the time."""
        return Ledger(
            [call for call in self.calls if start <= call.ended < end],
            [one for one in self.recoveries if start <= one.at < end],
        )


@dataclass(frozen=True, slots=True)
class Summary:
    """A line of the table: one kind of client during one fault."""

    kind: str
    calls: int
    right: int
    errors: int
    orphaned: int
    lost: int
    reconnected: int
    resumed: int
    reopened: int
    median_ms: float
    p99_ms: float
    seconds_until_well: float


def summarise(ledger: Ledger) -> list[Summary]:
    """Return a line for each kind of client, in the order of their names."""
    ordered = sorted(ledger.calls, key=attrgetter("kind"))
    return [
        summarise_kind(kind, list(calls), ledger.recoveries)
        for kind, calls in groupby(ordered, key=attrgetter("kind"))
    ]


def summarise_kind(
    kind: str, calls: Sequence[Call], recoveries: Iterable[Recovery]
) -> Summary:
    """Return the line of one kind of client."""
    right = [call for call in calls if call.outcome is Outcome.RIGHT]
    errors = [call for call in calls if call.outcome is Outcome.ERROR]
    returns = [one.how for one in recoveries if one.kind == kind]
    waits = [call.waiting * 1000 for call in right]
    return Summary(
        kind=kind,
        calls=len(calls),
        right=len(right),
        errors=len(errors),
        orphaned=sum(call.orphaned for call in errors),
        lost=len(calls) - len(right) - len(errors),
        reconnected=returns.count(RecoveryKind.RECONNECTED),
        resumed=returns.count(RecoveryKind.RESUMED),
        reopened=returns.count(RecoveryKind.REOPENED),
        median_ms=find_percentile(waits, 50),
        p99_ms=find_percentile(waits, 99),
        seconds_until_well=measure_outage(calls),
    )


def find_percentile(values: Iterable[float], percent: float) -> float:
    """Return the smallest value that so many percent do not exceed; 0 of none."""
    ordered = sorted(values)
    if not ordered:
        return 0.0
    return ordered[max(0, ceil(len(ordered) * percent / 100) - 1)]


def measure_outage(calls: Sequence[Call]) -> float:
    """Return the seconds from the first call that failed until all clients are well.

    A client is well when it makes the first call that succeeds after its last failure;
    one that never does counts to the end of its last call.
    """
    failed = [call for call in calls if call.outcome is not Outcome.RIGHT]
    if not failed:
        return 0.0
    began = min(call.started for call in failed)
    members = {call.member for call in failed}
    return (
        max(
            find_recovery([call for call in calls if call.member == member])
            for member in members
        )
        - began
    )


def find_recovery(calls: Sequence[Call]) -> float:
    """Return when a client that failed was well again."""
    last = max(call.ended for call in calls if call.outcome is not Outcome.RIGHT)
    later = [call.started for call in calls if call.started >= last]
    return min(later, default=last)
