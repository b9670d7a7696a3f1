"""What 1,000 rows of eight columns cost through the hub, and straight from asyncpg.

Both sides run the same statement on the same database over loopback, one call at a
time; the client of the hub reads the whole answer and does not parse it.
"""

import asyncio
import json
import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import asyncpg

from benchmarks.client import CLASSIC, BareClient
from benchmarks.processes import ServerProcess

TOOL = "postgres_query"
ROWS = 1000
WARM_UP_CALLS = 10
CALLS_PER_ROUND = 50
ROUNDS = 7

STATEMENT = """
SELECT n AS id, n * 1000003 AS account, 'customer number ' || n AS name,
       n / 7.0::float8 AS score, (n / 100.0)::numeric(12, 2) AS balance,
       timestamptz '2026-01-01 00:00+00' + n * interval '1 minute' AS seen_at,
       n % 2 = 0 AS active, 'region-' || n % 10 AS region
FROM generate_series(1, 1000) AS n
"""


@dataclass(frozen=True, slots=True)
class RowCost:
    """What 1,000 rows cost on one way, in milliseconds."""

    wall_ms: float
    cpu_ms: float


@dataclass(frozen=True, slots=True)
class RowCosts:
    """Both ways, and the bytes of the hub's answer."""

    hub: RowCost
    fetch: RowCost
    answer_bytes: int


def measure_rows(server: ServerProcess, client: BareClient, dsn: str) -> RowCosts:
    """Return what the statement costs on both ways, asked in turns."""
    arguments = {"sql": STATEMENT, "limit": ROWS}
    answer = client.call(CLASSIC, TOOL, arguments)
    _check_complete(answer)
    with asyncio.Runner() as runner:
        connection = runner.run(asyncpg.connect(dsn))
        fetch = Way(
            lambda: runner.run(connection.fetch(STATEMENT)), time.process_time, []
        )
        hub = Way(
            lambda: client.call(CLASSIC, TOOL, arguments), server.read_cpu_seconds, []
        )
        for _ in range(WARM_UP_CALLS):
            fetch.go()
            hub.go()
        for _ in range(ROUNDS):
            fetch.measure()
            hub.measure()
        runner.run(connection.close())
    return RowCosts(hub.middle, fetch.middle, len(answer))


@dataclass(frozen=True, slots=True)
class Way:
    """One way to the rows, and the clock of the CPU that it takes."""

    go: Callable[[], object]
    read_cpu_seconds: Callable[[], float]
    rounds: list[RowCost]

    def measure(self, calls: int = CALLS_PER_ROUND) -> None:
        """Go a few times."""
        cpu, wall = self.read_cpu_seconds(), time.perf_counter()
        for _ in range(calls):
            self.go()
        cpu, wall = self.read_cpu_seconds() - cpu, time.perf_counter() - wall
        scale = 1000 / calls
        self.rounds.append(RowCost(wall * scale, cpu * scale))

    @property
    def middle(self) -> RowCost:
        """Return the median of each measure."""
        return RowCost(
            statistics.median(cost.wall_ms for cost in self.rounds),
            statistics.median(cost.cpu_ms for cost in self.rounds),
        )


def take_turns(ways: Sequence[Way], warm_up: int, calls: int, rounds: int) -> None:
    """Measure ways alternately, after calls that do not count."""
    for way in ways:
        way.measure(warm_up)
        way.rounds.clear()
    for _ in range(rounds):
        for way in ways:
            way.measure(calls)


def _check_complete(answer: bytes) -> None:
    result = json.loads(answer)["result"]["structuredContent"]
    if result["row_count"] != ROWS or result["truncated"]:
        raise RuntimeError(f"the hub gave {result['row_count']} rows of {ROWS}")
