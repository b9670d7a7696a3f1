"""How often an object may be written, whatever happens.

Two parties that each put a field right could make each other write without end: two
operators of two releases, an admission policy, another controller. A bucket of writes
for each object bounds that; a user's own changes never empty it.
"""

from collections.abc import Callable
from dataclasses import dataclass

from mcphub_operator.observed import HubKey
from mcphub_operator.resources.manifest import ChildId

BURST = 60
REFILL_SECONDS = 2.0
"""After a burst: one write in so many seconds."""


@dataclass(slots=True)
class _Bucket:
    left: float
    at: float


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
        now = self._clock()
        bucket = self._buckets.setdefault(key, {}).setdefault(
            child, _Bucket(BURST, now)
        )
        left = bucket.left + (now - bucket.at) / REFILL_SECONDS
        bucket.left, bucket.at = min(left, BURST), now
        if bucket.left < 1:
            self._held_back(child.kind)
            return False
        bucket.left -= 1
        return True

    def forget(self, key: HubKey) -> None:
        """Forget a hub that is gone."""
        self._buckets.pop(key, None)
