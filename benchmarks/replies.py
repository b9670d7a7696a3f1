"""What it costs that replies survive: the same calls with and without, in CPU.

A client that accepts no streams gets plain JSON however long a call takes, so the two
sides are one server and two values of `Accept`, asked in turns.
"""

from dataclasses import dataclass
from typing import Any

from benchmarks.client import CLASSIC, BareClient
from benchmarks.processes import ServerProcess

JSON_ALONE = "application/json"
ROUNDS = 5
WARM_UP_CALLS = 20


@dataclass(frozen=True, slots=True)
class Kind:
    """A call, and how often a round makes it."""

    tool: str
    arguments: dict[str, Any]
    calls: int


QUICK = Kind("health_check", {}, 300)
SLOW = Kind(
    "postgres_query",
    {"sql": "SELECT count(*) FROM generate_series(1, 2000000)"},
    20,
)
"""Takes a few tenths of a second in PostgreSQL: its reply becomes a stream."""


@dataclass(frozen=True, slots=True)
class ReplyCost:
    """What one call costs, in milliseconds of CPU."""

    surviving_ms: float
    plain_ms: float


def measure_replies(
    server: ServerProcess, port: int, token: str, kind: Kind
) -> ReplyCost:
    """Return what a call costs whose reply survives, and as plain JSON."""
    ways = [BareClient(port, token), BareClient(port, token, JSON_ALONE)]
    rounds: list[list[float]] = [[], []]
    for way in ways:
        for _ in range(min(WARM_UP_CALLS, kind.calls)):
            way.call(CLASSIC, kind.tool, kind.arguments)
    for _ in range(ROUNDS):
        for way, costs in zip(ways, rounds, strict=True):
            before = server.read_cpu_seconds()
            for _ in range(kind.calls):
                way.call(CLASSIC, kind.tool, kind.arguments)
            costs.append((server.read_cpu_seconds() - before) * 1000 / kind.calls)
    return ReplyCost(*(sum(costs) / ROUNDS for costs in rounds))
