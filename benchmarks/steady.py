"""What a client that asks for large results without end does to 100 calls a second.

    python -m benchmarks.steady PORT TOKEN

asks for 1,000 rows again and again until it is ended; it is a process of its own, so
that what reading them costs is not the measured client's.
"""

import queue
import statistics
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from benchmarks.client import CLASSIC, BareClient
from benchmarks.hub import HOSTILE_TOKEN, TOKEN, HubFolder
from benchmarks.neighbours import GIVING_WAY
from benchmarks.processes import running
from benchmarks.rows import ROWS, STATEMENT, TOOL
from tools.project import ROOT

CALLS_PER_SECOND = 100
CALLS = 1500
CONNECTIONS = 16
BEFORE_SECONDS = 1.0


@dataclass(slots=True)
class Latencies:
    """How long calls took, from when they were due.

    Attributes:
        milliseconds: Of each call.
        failures: Calls that failed.
    """

    milliseconds: list[float] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)

    @property
    def p99_ms(self) -> float:
        """Return the 99th percentile."""
        return statistics.quantiles(self.milliseconds, n=100)[98]


def measure_alone(
    hub: HubFolder, rate: float = CALLS_PER_SECOND, calls: int = CALLS
) -> Latencies:
    """Return the latencies of so many steady calls a second, alone."""
    latencies = Latencies()
    due: queue.SimpleQueue[float | None] = queue.SimpleQueue()
    workers = [
        threading.Thread(target=_work, args=(hub, due, latencies))
        for _ in range(CONNECTIONS)
    ]
    for worker in workers:
        worker.start()
    begin = time.perf_counter()
    for number in range(calls):
        when = begin + number / rate
        time.sleep(max(0.0, when - time.perf_counter()))
        due.put(when)
    for _ in workers:
        due.put(None)
    for worker in workers:
        worker.join()
    return latencies


def measure_beside_rows(hub: HubFolder) -> Latencies:
    """Return them beside a client that asks for large results without end."""
    with _asking(hub):
        time.sleep(BEFORE_SECONDS)
        return measure_alone(hub)


def _work(
    hub: HubFolder, due: "queue.SimpleQueue[float | None]", latencies: Latencies
) -> None:
    client = BareClient(hub.port, TOKEN)
    while (when := due.get()) is not None:
        try:
            client.call(CLASSIC, TOOL, {"sql": "SELECT 1 AS one"})
        except RuntimeError as error:
            latencies.failures.append(str(error))
        latencies.milliseconds.append((time.perf_counter() - when) * 1000)


@contextmanager
def _asking(hub: HubFolder) -> Iterator[None]:
    program = [sys.executable, "-m", "benchmarks.steady"]
    argv = [*GIVING_WAY, *program, str(hub.port), HOSTILE_TOKEN]
    with running(argv, hub.folder / "rows.log", {"PYTHONPATH": str(ROOT)}):
        yield


def ask_without_end(port: int, token: str) -> None:
    """Ask for 1,000 rows, again and again."""
    client = BareClient(port, token)
    while True:
        client.call(CLASSIC, TOOL, {"sql": STATEMENT, "limit": ROWS})


if __name__ == "__main__":
    ask_without_end(int(sys.argv[1]), sys.argv[2])
