"""How often an object may be written, whatever happens.

Two parties that each put a field right could make each other write without end: two
operators of two releases, an admission policy, another controller. A bucket of writes
for each object bounds that; a user's own changes never empty it.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

from mcphub_operator.observed import HubKey
from mcphub_operator.resources.manifest import ChildId

BURST = 60
REFILL_SECONDS = 2.0
"""After a burst: one write in so many seconds."""
RECOVERED = 10
"""An object counts as contested until so many writes to it are left again."""


class Contest(NamedTuple):
    """Another party changes an object again and again."""

    field: str = ""
    """Which field, if one is known."""
    rivals: str = ""
    """The field managers that changed it last, if any is known."""


@dataclass(slots=True)
class _Bucket:
    left: float
    at: float
    contest: Contest | None = None


class WriteBudget:
    """Buckets of writes by object."""

    def __init__(
        self, clock: Callable[[], float], held_back: Callable[[str], None]
    ) -> None:
        self._clock = clock
        self._held_back = held_back
        self._buckets: dict[HubKey, dict[ChildId, _Bucket]] = {}

    def take(self, key: HubKey, child: ChildId) -> bool:
        """Take a write; tell whether there was one left."""
        bucket = self._buckets.setdefault(key, {}).setdefault(
            child, _Bucket(BURST, self._clock())
        )
        self._refill(bucket)
        if bucket.left < 1:
            self._held_back(child.kind)
            return False
        bucket.left -= 1
        return True

    def give_back(self, key: HubKey, child: ChildId) -> None:
        """Take back a write that was not made: no party has undone it."""
        self._buckets[key][child].left += 1

    def note_contest(self, key: HubKey, child: ChildId, contest: Contest) -> None:
        """Note what another party changes; the first known field is reported."""
        bucket = self._buckets[key][child]
        if bucket.contest is None or not bucket.contest.field:
            bucket.contest = contest

    def find_contests(self, key: HubKey) -> dict[ChildId, Contest]:
        """Return the contested objects of a hub.

        Now and then a write is left and succeeds. That is not the end of the contest.
        """
        buckets = self._buckets.get(key, {})
        for bucket in buckets.values():
            self._refill(bucket)
        return {
            child: bucket.contest
            for child, bucket in buckets.items()
            if bucket.contest is not None
        }

    def forget(self, key: HubKey) -> None:
        """Forget a hub that is gone."""
        self._buckets.pop(key, None)

    def _refill(self, bucket: _Bucket) -> None:
        now = self._clock()
        left = bucket.left + (now - bucket.at) / REFILL_SECONDS
        bucket.left, bucket.at = min(left, BURST), now
        if bucket.left >= RECOVERED:
            bucket.contest = None
