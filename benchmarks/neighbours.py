"""What one client's worst inputs do to another client of the same replica.

A measured client sends one small statement after the other, first alone and then beside
a client that sends the worst inputs of one kind over several connections. The ratio of
the two p99 is the figure; memory and liveness are watched meanwhile.

The hub has a processor of its own. The database and both clients share the others, and
the hostile client gives way there: what its own process takes is not the hub's doing.
"""

import os
import statistics
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.client import CLASSIC, BareClient
from benchmarks.hostile import KINDS
from benchmarks.hub import HubFolder
from benchmarks.processes import ServerProcess, running
from tests.support.postgres import PostgresServer
from tools.project import ROOT

CALLS = 300
PAUSE_SECONDS = 0.02
BEFORE_SECONDS = 2.0
WATCH_SECONDS = 0.25
LIVENESS_SECONDS = 1.0
"""The timeout of the kubelet's probe."""

HUB_PROCESSOR = 0
GIVING_WAY = ("nice", "-n", "19")


@dataclass(slots=True)
class Watched:
    """What was seen of the replica besides the measured calls."""

    rss_mebibytes: float = 0.0
    liveness_failures: int = 0


@dataclass(frozen=True, slots=True)
class Neighbour:
    """How the measured client fares beside one kind of input.

    Attributes:
        p99_ms: Of its calls.
        failures: Calls that failed.
        watched: The replica meanwhile.
    """

    p99_ms: float
    failures: int
    watched: Watched = field(default_factory=Watched)


@contextmanager
def processors_shared(postgres: PostgresServer) -> Iterator[tuple[str, ...]]:
    """Keep this process and the database off the hub's processor, if there are two.

    Yields the words to put before the hub's command.
    """
    usual = os.sched_getaffinity(0)
    others = usual - {HUB_PROCESSOR}
    if not others:
        yield ()
        return
    pid_file = postgres.folder / "data" / "postmaster.pid"
    database = int(pid_file.read_text(encoding="utf-8").split()[0])
    for process in (0, database):  # what they start goes with them
        os.sched_setaffinity(process, others)
    try:
        yield ("taskset", "-c", str(HUB_PROCESSOR))
    finally:
        for process in (0, database):
            os.sched_setaffinity(process, usual)


def measure_quiet(hub: HubFolder, token: str) -> Neighbour:
    """Return how the measured client fares alone."""
    return _measure(hub, token)


def measure_beside(
    hub: HubFolder, server: ServerProcess, tokens: tuple[str, str], kind: str
) -> Neighbour:
    """Return how the measured client fares beside one that sends a kind of input."""
    measured, hostile = tokens
    with _sending(hub, hostile, kind), _watching(hub, server) as watched:
        time.sleep(BEFORE_SECONDS)
        found = _measure(hub, measured)
    return Neighbour(found.p99_ms, found.failures, watched)


def _measure(hub: HubFolder, token: str) -> Neighbour:
    client, times, failures = BareClient(hub.port, token), [], 0
    for number in range(CALLS):
        began = time.perf_counter()
        try:
            client.call(CLASSIC, "postgres_query", {"sql": f"SELECT {number % 50}"})
        except RuntimeError:
            failures += 1
        times.append((time.perf_counter() - began) * 1000)
        time.sleep(PAUSE_SECONDS)
    return Neighbour(statistics.quantiles(times, n=100)[98], failures)


@contextmanager
def _sending(hub: HubFolder, token: str, kind: str) -> Iterator[None]:
    if kind not in KINDS:
        raise ValueError(f"there is no kind {kind}")
    program = [sys.executable, "-m", "benchmarks.hostile"]
    argv = [*GIVING_WAY, *program, str(hub.port), token, kind]
    log: Path = hub.folder / f"{kind}.log"
    with running(argv, log, {"PYTHONPATH": str(ROOT)}):
        yield


@contextmanager
def _watching(hub: HubFolder, server: ServerProcess) -> Iterator[Watched]:
    """Look at memory and liveness until the block ends."""
    watched, over = Watched(), threading.Event()

    def watch() -> None:
        while not over.wait(WATCH_SECONDS):
            watched.rss_mebibytes = max(watched.rss_mebibytes, server.rss_mebibytes)
            watched.liveness_failures += not _is_live(hub)

    thread = threading.Thread(target=watch)
    thread.start()
    try:
        yield watched
    finally:
        over.set()
        thread.join()


def _is_live(hub: HubFolder) -> bool:
    url = f"http://127.0.0.1:{hub.management_port}/health/live"
    try:
        with urllib.request.urlopen(url, timeout=LIVENESS_SECONDS) as answer:
            return bool(answer.status == 200)
    except (OSError, urllib.error.URLError):
        return False
