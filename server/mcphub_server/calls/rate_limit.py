"""Limits the rate of calls: a token bucket for each client, in a bounded map.

Pure: time is an argument. FastMCP's own limiter keeps a bucket for every client that
ever called, and gives no time to retry after. What the check of a call costs of the
processor is charged to the same bucket, so costly statements slow down their sender.
"""

from collections.abc import Hashable
from dataclasses import dataclass

from mcphub_server.recent import RecentMap

MAX_CLIENTS = 10_000

CPU_SHARE = 0.25
"""Of one processor: what a client's checks take at most over time. At 100 calls a
second, a millisecond counts as two fifths of a call."""


@dataclass(slots=True)
class Bucket:
    """The tokens that one client has left at a time."""

    tokens: float
    at_seconds: float


class RateLimiter:
    """Buckets by client key; the longest unused is forgotten first."""

    def __init__(
        self, per_second: float, burst: float, max_clients: int = MAX_CLIENTS
    ) -> None:
        self._per_second = per_second
        self._burst = burst
        self._buckets = RecentMap[Hashable, Bucket](max_clients)

    def take(self, key: Hashable, now_seconds: float) -> float:
        """Take one call; return 0, or the seconds after which to try again."""
        bucket = self._find_bucket(key, now_seconds)
        if bucket.tokens >= 1:
            bucket.tokens -= 1
            return 0.0
        return (1 - bucket.tokens) / self._per_second

    def charge(self, key: Hashable, cpu_seconds: float, now_seconds: float) -> None:
        """Take what a call cost besides; a client may end up in debt."""
        bucket = self._find_bucket(key, now_seconds)
        bucket.tokens -= cpu_seconds / CPU_SHARE * self._per_second

    def _find_bucket(self, key: Hashable, now_seconds: float) -> Bucket:
        """Return a client's bucket, filled up to now."""
        bucket = self._buckets.find(key)
        if bucket is None:
            bucket = Bucket(self._burst, now_seconds)
            self._buckets.keep(key, bucket)
        gained = (now_seconds - bucket.at_seconds) * self._per_second
        bucket.tokens = min(self._burst, bucket.tokens + max(0.0, gained))
        bucket.at_seconds = now_seconds
        return bucket

    def __len__(self) -> int:
        return len(self._buckets)
