"""Draws the plots of docs/performance.md from new measurements: `make plots`.

Run it on a machine that does nothing else. The replica has a processor of its own; the
client and PostgreSQL share the others.
"""

import asyncio
import statistics
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import AsyncExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import matplotlib as mpl

from benchmarks.conditions import describe_conditions
from benchmarks.databases import describe_postgres, open_postgres
from benchmarks.hub import TOKEN, HubFolder, running_hub, write_hub
from benchmarks.neighbours import processors_shared
from benchmarks.sessions import HubAccess, open_sessions
from benchmarks.steady import measure_alone
from tests.support.postgres import PostgresServer
from tools.project import ROOT

mpl.use("svg")
mpl.rcParams["svg.hashsalt"] = "mcphub"  # the same drawing for the same figures
from matplotlib import pyplot as plt  # noqa: E402

FOLDER = ROOT / "docs" / "pictures"
RATES = (50, 100, 200, 300, 400, 500, 600)
SECONDS = 6
SESSIONS = (0, 250, 500, 750, 1000)


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a plot."""

    name: str
    values: Sequence[float]


def measure_load(folder: Path, postgres: PostgresServer) -> tuple[Line, Line]:
    """Return median and p99, in milliseconds, at each rate of calls."""
    hub = write_hub(folder / "load", [describe_postgres(postgres)])
    medians, highs = [], []
    with processors_shared(postgres) as before, running_hub(hub, before):
        measure_alone(hub, RATES[0], RATES[0])  # warms up
        for rate in RATES:
            found = measure_alone(hub, rate, rate * SECONDS)
            if found.failures:
                raise RuntimeError(f"at {rate} calls/s: {found.failures[0]}")
            medians.append(statistics.median(found.milliseconds))
            highs.append(found.p99_ms)
    return Line("median", medians), Line("99th percentile", highs)


def measure_memory(folder: Path, postgres: PostgresServer) -> Line:
    """Return the resident memory, in MiB, with each number of sessions."""
    hub = write_hub(folder / "memory", [describe_postgres(postgres)])
    with running_hub(hub) as server:

        async def open_more() -> list[float]:
            found, opened = [], 0
            async with AsyncExitStack() as stack:
                for count in SESSIONS:
                    more = open_sessions(HubAccess(hub.port, TOKEN), count - opened)
                    await stack.enter_async_context(more)
                    opened = count
                    found.append(server.rss_mebibytes)
            return found

        warm_up(hub)
        return Line("one replica", asyncio.run(open_more()))


def warm_up(hub: HubFolder) -> None:
    """Connect the replica to its database."""
    measure_alone(hub, RATES[0], RATES[0])


@contextmanager
def drawing(name: str, title: str, across: str, along: str) -> Iterator[plt.Axes]:
    """Draw a plot and write it."""
    figure, axes = plt.subplots(figsize=(7, 3.2), layout="constrained")
    axes.set_title(title, loc="left")
    axes.set_xlabel(across)
    axes.set_ylabel(along)
    axes.grid(alpha=0.3)
    yield axes
    axes.set_ylim(bottom=0)
    axes.legend()
    figure.savefig(FOLDER / f"{name}.svg", metadata={"Date": None})
    plt.close(figure)


def main() -> None:
    """Measure, print the figures, and draw."""
    print("\n".join(describe_conditions()))
    with tempfile.TemporaryDirectory() as folder, open_postgres() as postgres:
        load = measure_load(Path(folder), postgres)
        memory = measure_memory(Path(folder), postgres)
    for line, numbers in (*((line, RATES) for line in load), (memory, SESSIONS)):
        values = ", ".join(f"{value:.1f}" for value in line.values)
        print(f"{line.name} at {', '.join(map(str, numbers))}: {values}")
    title = "SELECT 1 through one replica on one processor"
    with drawing("load", title, "calls per second", "milliseconds") as axes:
        for line in load:
            axes.plot(RATES, line.values, marker="o", label=line.name)
    title = "Memory of one replica with PostgreSQL"
    with drawing("memory", title, "open sessions (/sse)", "MiB resident") as axes:
        axes.plot(SESSIONS, memory.values, marker="o", label=memory.name)


if __name__ == "__main__":
    main()
