"""How long a hub that fails waits for its next try.

Per hub, so that one that always fails does not slow the others; forgotten when the
hub changes, so that a fix of the spec is tried at once.
"""

import random
from collections.abc import Callable
from dataclasses import dataclass

from mcphub_operator.observed import HubKey

FIRST_SECONDS = 0.5
LONGEST_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class _Failures:
    generation: int
    count: int


class Backoff:
    """Counts failures in a row."""

    def __init__(self, chance: Callable[[], float] = random.random) -> None:
        self._chance = chance
        self._failures: dict[HubKey, _Failures] = {}

    def next_delay(self, key: HubKey, generation: int) -> float:
        """Note a failure; return after how many seconds to try again."""
        before = self._failures.get(key)
        known = before is not None and before.generation == generation
        count = before.count + 1 if before is not None and known else 0
        self._failures[key] = _Failures(generation, count)
        longest = min(FIRST_SECONDS * 2.0 ** min(count, 16), LONGEST_SECONDS)
        return longest * (0.5 + self._chance() / 2)

    def forget(self, key: HubKey) -> None:
        """Note a success, or the end of the hub."""
        self._failures.pop(key, None)
