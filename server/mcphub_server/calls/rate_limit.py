"""How often one client may call: a token bucket each, in a bounded map.

Pure: time is an argument. FastMCP's own limiter keeps a bucket for every client that
ever called, and cannot say when to try again.
"""

from collections import OrderedDict
from dataclasses import dataclass

MOST_CLIENTS = 10_000


@dataclass(slots=True)
class Bucket:
    """What one client has left, as of a time."""

    tokens: float
    at_seconds: float


class RateLimiter:
    """Buckets by client key; the longest unused is forgotten first."""

    def __init__(
        self, per_second: float, burst: float, most_clients: int = MOST_CLIENTS
    ) -> None:
        self._per_second = per_second
        self._burst = burst
        self._most_clients = most_clients
        self._buckets: OrderedDict[str, Bucket] = OrderedDict()

    def take(self, key: str, now_seconds: float) -> float:
        """Take one call; return 0, or the seconds after which to try again."""
        bucket = self._buckets.get(key)
        if bucket is None:
            bucket = self._buckets[key] = Bucket(self._burst, now_seconds)
            if len(self._buckets) > self._most_clients:
                self._buckets.popitem(last=False)
        else:
            self._buckets.move_to_end(key)
        gained = (now_seconds - bucket.at_seconds) * self._per_second
        bucket.tokens = min(self._burst, bucket.tokens + max(0.0, gained))
        bucket.at_seconds = now_seconds
        if bucket.tokens >= 1:
            bucket.tokens -= 1
            return 0.0
        return (1 - bucket.tokens) / self._per_second

    def __len__(self) -> int:
        return len(self._buckets)
