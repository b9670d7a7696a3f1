"""What the tracing calls cost while traces are off.

Two servers run the same code, one with the tracing calls taken out of it
(`benchmarks.untraced`). They are asked in turns; each pair of rounds gives a ratio. How
a process happens to lie in memory moves its cost by more than what is looked for, so
several pairs of processes take part, and the median of all ratios counts.
"""

import math
import statistics
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

from benchmarks.client import CLASSIC, BareClient
from benchmarks.databases import describe_postgres
from benchmarks.figures import Figure
from benchmarks.hub import TOKEN, running_hub, write_hub
from benchmarks.processes import ServerProcess
from tests.support.postgres import PostgresServer

MODULES = ("mcphub_server", "benchmarks.untraced")
CALLS = {
    "health_check": ("health_check", {}),
    "SELECT 1": ("postgres_query", {"sql": "SELECT 1 AS one"}),
}
PROCESS_PAIRS = 6
ROUNDS = 24
CALLS_PER_ROUND = 100
GOAL = 1.02
NORMAL_95 = 1.96

Asked = tuple[ServerProcess, BareClient]


def report_traces(folder: Path, server: PostgresServer) -> Iterator[Figure]:
    """Compare a server with its tracing calls, traces off, with one without them."""
    ratios: dict[str, list[float]] = {name: [] for name in CALLS}
    for number in range(PROCESS_PAIRS):
        with ExitStack() as stack:
            pair = []
            for module in MODULES:
                hub = write_hub(
                    folder / f"{module}-{number}", [describe_postgres(server)]
                )
                process = stack.enter_context(running_hub(hub, module=module))
                pair.append((process, BareClient(hub.port, TOKEN)))
            for name in CALLS:
                ratios[name] += compare_pair(name, *pair)
    for name, found in ratios.items():
        yield describe(name, found)


def compare_pair(name: str, traced: Asked, bare: Asked) -> list[float]:
    """Return the ratio of each pair of rounds; who goes first alternates."""
    ratios = []
    for number in range(ROUNDS + 1):
        order = (traced, bare) if number % 2 else (bare, traced)
        costs = {id(each): ask(name, each) for each in order}
        ratios.append(costs[id(traced)] / costs[id(bare)])
    return ratios[1:]  # the first warms up


def ask(name: str, asked: Asked) -> int:
    """Return the nanoseconds of CPU that a round took in the server."""
    process, client = asked
    tool, arguments = CALLS[name]
    before = process.read_cpu_nanoseconds()
    for _ in range(CALLS_PER_ROUND):
        client.call(CLASSIC, tool, arguments)
    return process.read_cpu_nanoseconds() - before


def describe(name: str, ratios: list[float]) -> Figure:
    """Return the median, and where the true one lies with a confidence of 95 %."""
    low, high = find_interval(ratios)
    return Figure(
        f"traces off: {name}, CPU, with tracing calls ÷ without",
        statistics.median(ratios),
        "x",
        GOAL,
        f"{len(ratios)} pairs of rounds in {PROCESS_PAIRS} pairs of processes; with"
        f" 95 % between {low:.3f} and {high:.3f}",
    )


def find_interval(values: list[float]) -> tuple[float, float]:
    """Return the interval of the median by ranks, which asks nothing of the values."""
    ordered, half = sorted(values), len(values) / 2
    reach = NORMAL_95 * math.sqrt(len(values)) / 2
    first, last = math.floor(half - reach), math.ceil(half + reach)
    return ordered[max(first, 0)], ordered[min(last, len(ordered) - 1)]
