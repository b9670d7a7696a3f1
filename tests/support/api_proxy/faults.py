"""What can go wrong with a request, as values, and rules that say with which.

A rule is a function of a request; whatever it remembers, such as how often it struck,
is its own. Several rules are asked in turn, and the first that answers counts.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from tests.support.api_proxy.asked import Asked


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


Fault = Answer | Silence | Lost | Late
Rule = Callable[[Asked], Fault | None]
Which = Callable[[Asked], bool]

REASONS = {
    403: "Forbidden",
    409: "Conflict",
    410: "Expired",
    429: "TooManyRequests",
    500: "InternalError",
    503: "ServiceUnavailable",
    504: "Timeout",
}


def never(_asked: Asked) -> None:
    """Let everything pass."""


def build_answer(status: int) -> Answer:
    """Return how the API server words a failure."""
    headers = {"Retry-After": "1"} if status in (429, 503) else {}
    return Answer(status, REASONS[status], headers)


def is_write(asked: Asked) -> bool:
    """Tell whether a request is a write of a hub's children or status."""
    return asked.is_write and asked.resource not in ("leases", "events")


def is_verb(*verbs: str) -> Which:
    """Choose requests by their verb."""
    return lambda asked: asked.verb in verbs


def first(count: int, which: Which, fault: Fault) -> Rule:
    """Strike the first so many requests of a sort."""
    left = count

    def decide(asked: Asked) -> Fault | None:
        nonlocal left
        if left <= 0 or not which(asked):
            return None
        left -= 1
        return fault

    return decide


def every(step: int, which: Which, fault: Fault) -> Rule:
    """Strike every so manieth request of a sort, the first one too."""
    passed = -1

    def decide(asked: Asked) -> Fault | None:
        nonlocal passed
        if not which(asked):
            return None
        passed += 1
        return fault if passed % step == 0 else None

    return decide


def nth(number: int, which: Which, fault: Fault) -> Rule:
    """Strike one request: the n-th of a sort, counted from 1."""
    passed = 0

    def decide(asked: Asked) -> Fault | None:
        nonlocal passed
        if not which(asked):
            return None
        passed += 1
        return fault if passed == number else None

    return decide


def after(number: int, which: Which, fault: Fault) -> Rule:
    """Strike the n-th request of a sort, counted from 1, and all later ones of it."""
    passed = 0

    def decide(asked: Asked) -> Fault | None:
        nonlocal passed
        if not which(asked):
            return None
        passed += 1
        return fault if passed >= number else None

    return decide


def in_turn(statuses: Sequence[int], step: int, which: Which) -> Rule:
    """Answer every so manieth request of each sort with the next of these statuses."""
    passed: Counter[tuple[str, str]] = Counter()

    def decide(asked: Asked) -> Fault | None:
        if not which(asked):
            return None
        sort = asked.verb, asked.resource
        passed[sort] += 1
        turn, rest = divmod(passed[sort], step)
        return build_answer(statuses[turn % len(statuses)]) if rest == 1 else None

    return decide
