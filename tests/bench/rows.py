"""What 1,000 rows of eight columns cost through the hub, and straight from asyncpg.

Both sides run the same statement on the same database over loopback, one call at a
time; the client of the hub reads the whole answer and does not parse it.
"""

import asyncio
import json
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass

import asyncpg

from bench.client import CLASSIC, BareClient

ROWS = 1000
WARM_UP_CALLS = 10
CALLS_PER_ROUND = 20
ROUNDS = 9

STATEMENT = """
SELECT n AS id, n * 1000003 AS account, 'customer number ' || n AS name,
       n / 7.0::float8 AS score, (n / 100.0)::numeric(12, 2) AS balance,
       timestamptz '2026-01-01 00:00+00' + n * interval '1 minute' AS seen_at,
       n % 2 = 0 AS active, 'region-' || n % 10 AS region
FROM generate_series(1, 1000) AS n
"""


@dataclass(frozen=True, slots=True)
class RowCost:
    """Milliseconds of waiting for 1,000 rows, and the bytes of the hub's answer."""

    hub_ms: float
    fetch_ms: float
    answer_bytes: int

    @property
    def ratio(self) -> float:
        """Return how much longer it takes through the hub."""
        return self.hub_ms / self.fetch_ms


def measure_rows(client: BareClient, dsn: str, tool: str) -> RowCost:
    """Return what the statement costs on both ways, asked in turns."""
    arguments = {"sql": STATEMENT, "limit": ROWS}
    answer = client.call(CLASSIC, tool, arguments)
    _check_complete(answer)
    with asyncio.Runner() as runner:
        connection = runner.run(asyncpg.connect(dsn))

        def fetch() -> object:
            return runner.run(connection.fetch(STATEMENT))

        def call() -> object:
            return client.call(CLASSIC, tool, arguments)

        for _ in range(WARM_UP_CALLS):
            fetch(), call()
        rounds = [(_milliseconds(call), _milliseconds(fetch)) for _ in range(ROUNDS)]
        runner.run(connection.close())
    hub, plain = (statistics.median(side) for side in zip(*rounds, strict=True))
    return RowCost(hub, plain, len(answer))


def _milliseconds(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    for _ in range(CALLS_PER_ROUND):
        work()
    return (time.perf_counter() - start) * 1000 / CALLS_PER_ROUND


def _check_complete(answer: bytes) -> None:
    result = json.loads(answer)["result"]["structuredContent"]
    if result["row_count"] != ROWS or result["truncated"]:
        raise RuntimeError(f"the hub gave {result['row_count']} rows of {ROWS}")
