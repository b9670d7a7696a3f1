"""What can go wrong with a request, as values, and rules that say with which.

A rule is a function of a request; whatever it remembers, such as how often it matched,
is its own. Several rules are asked in turn, and the first that answers counts.
"""

import asyncio
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from tests.support.api_proxy.request_info import RequestInfo


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer in the API server's place."""

    status: int
    reason: str
    headers: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Silence:
    """No answer at all, and nothing passed on; the connection stays open."""


@dataclass(frozen=True, slots=True)
class Lost:
    """Passed on and done, but the connection breaks before the answer is through."""

    then: Callable[[], None] | None = None
    """Called when it was done."""


@dataclass(frozen=True, slots=True)
class Late:
    """Passed on and done; the answer comes so much later."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Held:
    """Passed on and done; the answer comes once the gate is open."""

    gate: asyncio.Event


Injection = Answer | Silence | Lost | Late | Held
Rule = Callable[[RequestInfo], Injection | None]
Which = Callable[[RequestInfo], bool]

REASONS = {
    403: "Forbidden",
    409: "Conflict",
    410: "Expired",
    429: "TooManyRequests",
    500: "InternalError",
    503: "ServiceUnavailable",
    504: "Timeout",
}


def never(_info: RequestInfo) -> None:
    """Let everything pass."""


def build_answer(status: int) -> Answer:
    """Return how the API server words a failure."""
    headers = {"Retry-After": "1"} if status in (429, 503) else {}
    return Answer(status, REASONS[status], headers)


def is_write(info: RequestInfo) -> bool:
    """Tell whether a request is a write of a hub's children or status."""
    return info.is_write and info.resource not in ("leases", "events")


def is_verb(*verbs: str) -> Which:
    """Choose requests by their verb."""
    return lambda info: info.verb in verbs


def first(count: int, which: Which, fault: Injection) -> Rule:
    """Match the first `count` requests of a sort."""
    left = count

    def decide(info: RequestInfo) -> Injection | None:
        nonlocal left
        if left <= 0 or not which(info):
            return None
        left -= 1
        return fault

    return decide


def every(step: int, which: Which, fault: Injection) -> Rule:
    """Match every n-th request of a sort, the first one too."""
    passed = -1

    def decide(info: RequestInfo) -> Injection | None:
        nonlocal passed
        if not which(info):
            return None
        passed += 1
        return fault if passed % step == 0 else None

    return decide


def nth(number: int, which: Which, fault: Injection) -> Rule:
    """Match one request: the n-th of a sort, counted from 1."""
    passed = 0

    def decide(info: RequestInfo) -> Injection | None:
        nonlocal passed
        if not which(info):
            return None
        passed += 1
        return fault if passed == number else None

    return decide


def after(number: int, which: Which, fault: Injection) -> Rule:
    """Match the n-th request of a sort, counted from 1, and all later ones."""
    passed = 0

    def decide(info: RequestInfo) -> Injection | None:
        nonlocal passed
        if not which(info):
            return None
        passed += 1
        return fault if passed >= number else None

    return decide


def in_turn(statuses: Sequence[int], step: int, which: Which) -> Rule:
    """Answer every n-th request of each sort with the next of these statuses."""
    passed: Counter[tuple[str, str]] = Counter()

    def decide(info: RequestInfo) -> Injection | None:
        if not which(info):
            return None
        sort = info.verb, info.resource
        passed[sort] += 1
        turn, rest = divmod(passed[sort], step)
        return build_answer(statuses[turn % len(statuses)]) if rest == 1 else None

    return decide
