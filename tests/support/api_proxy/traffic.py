"""Every request that went through: how many of which, how large, and how answered."""

from collections import Counter
from dataclasses import dataclass, field

from tests.support.api_proxy.request_info import RequestInfo


@dataclass(slots=True)
class RecordedRequest:
    """A request and its answer; status 0 while it is unanswered."""

    info: RequestInfo
    sent_bytes: int
    at: float
    """The event loop's time at which it came."""

    status: int = 0
    received_bytes: int = 0
    refusal: bytes = b""
    """The body of a 403, which says who was refused what."""


@dataclass(slots=True)
class Traffic:
    """All requests, in the order in which they came."""

    seen: list[RecordedRequest] = field(default_factory=list)

    @property
    def writes(self) -> list[RequestInfo]:
        """Return the writes so far, without renewals of a Lease."""
        return [
            each.info
            for each in self.seen
            if each.info.is_write and each.info.resource != "leases"
        ]

    def count(self) -> Counter[tuple[str, str]]:
        """Count requests by verb and resource."""
        return Counter((each.info.verb, each.info.resource) for each in self.seen)

    def sizes(self) -> Counter[tuple[str, str]]:
        """Add up bytes of bodies, both ways, by verb and resource."""
        total: Counter[tuple[str, str]] = Counter()
        for each in self.seen:
            size = each.sent_bytes + each.received_bytes
            total[each.info.verb, each.info.resource] += size
        return total

    def describe(self) -> str:
        """Say in one line how many requests of which verb there were, and how large."""
        verbs: Counter[str] = Counter()
        for (verb, _), count in self.count().items():
            verbs[verb] += count
        listed = ", ".join(f"{count} {verb}" for verb, count in verbs.most_common())
        return (
            f"{len(self.seen)} requests ({listed}), {self.sizes().total() / 1e6:.1f} MB"
        )

    def forget(self) -> None:
        """Reset the counters."""
        self.seen.clear()
