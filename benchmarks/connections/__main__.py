"""Prints what many connections cost: `python -m benchmarks.connections [--sessions N]`.

Sessions over SSE, each with a call every few seconds, on three replicas without
affinity; then streams on one replica until it redirects new sessions, and until it is
full. Run it on a machine that does nothing else: server, clients and database share it.
"""

import argparse
import asyncio
import random
import statistics
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from benchmarks.conditions import describe_conditions
from benchmarks.connections.clients import (
    NoRoomError,
    Service,
    Session,
    Tally,
    build_service,
    open_session,
)
from benchmarks.connections.fleet import (
    MEMORY_LIMIT_MEBIBYTES,
    SETTLE_SECONDS,
    Fleet,
    Weighed,
    running_fleet,
)
from benchmarks.databases import describe_postgres, open_postgres
from benchmarks.figures import Figure, render_table
from benchmarks.hub import TOKEN

REPLICAS = 3
OPENED_AT_ONCE = 10


@dataclass(frozen=True, slots=True)
class Plan:
    """How many sessions, and how busy."""

    sessions: int
    every_seconds: float
    for_seconds: float


@dataclass(frozen=True, slots=True)
class Run:
    """What a run of many sessions came to."""

    tally: Tally
    ended: int
    idle: Sequence[Weighed]
    opened: Sequence[Weighed]
    after: Sequence[Weighed]
    seconds: float


async def open_many(service: Service, count: int) -> list[Session]:
    """Open that many sessions, a few at a time."""
    gate = asyncio.Semaphore(OPENED_AT_ONCE)

    async def open_one() -> Session:
        async with gate:
            return await open_session(service)

    return await asyncio.gather(*(open_one() for _ in range(count)))


async def run_sessions(fleet: Fleet, plan: Plan) -> Run:
    """Hold sessions that call, and account for each call."""
    service = build_service(fleet.hub.port, TOKEN, fleet.addresses)
    idle = fleet.weigh()
    sessions = await open_many(service, plan.sessions)
    opened, begun, tally = fleet.weigh(), time.monotonic(), Tally()
    until = begun + plan.for_seconds

    async def call(session: Session) -> None:
        await asyncio.sleep(random.uniform(0, plan.every_seconds))  # noqa: S311
        await session.call_every(plan.every_seconds, until, tally)

    await asyncio.gather(*(call(session) for session in sessions))
    seconds = time.monotonic() - begun
    ended = sum(session.ended for session in sessions)
    return Run(tally, ended, idle, opened, fleet.weigh(), seconds)


def report_run(plan: Plan, run: Run) -> Iterator[Figure]:
    """Tell what became of the calls, and what each replica used."""
    calls = run.tally.outcomes.total()
    words = ", ".join(f"{count} {name}" for name, count in run.tally.outcomes.items())
    bad = calls - run.tally.outcomes["answered"]
    yield Figure("calls without their answer", bad, "", 0, f"{calls} calls: {words}")
    yield Figure(
        "streams that ended", run.ended, "", 0, f"of {plan.sessions} sessions over SSE"
    )
    cuts = statistics.quantiles(run.tally.seconds, n=100)
    rate = f"{calls / run.seconds:.0f} calls a second, each POST on a new connection"
    yield Figure("latency, middle", cuts[49] * 1000, "ms", None, rate)
    yield Figure("latency, 99 of 100", cuts[98] * 1000, "ms", None, rate)
    before = [each.mebibytes for each in run.idle]
    after = [each.mebibytes for each in run.after]
    per_session = (sum(after) - sum(before)) * 1024 / plan.sessions
    yield Figure(
        "memory of a replica, most",
        max(after),
        "MiB",
        MEMORY_LIMIT_MEBIBYTES,
        f"idle {max(before):.0f} MiB; {per_session:.0f} KiB for a session",
    )
    used = [
        (last.cpu_seconds - first.cpu_seconds) / run.seconds
        for first, last in zip(run.opened, run.after, strict=True)
    ]
    cost = sum(used) * run.seconds * 1000 / calls
    share = f"{cost:.1f} ms for a call, two of three POSTs forwarded"
    yield Figure("CPU of a replica, most", max(used), "cores", 1, share)


async def fill(fleet: Fleet) -> list[Figure]:
    """Open streams on one replica until there is no room."""
    service = build_service(fleet.hub.port, TOKEN, fleet.addresses)
    idle = fleet.weigh()[0].mebibytes
    sessions: list[Session] = []
    comfortable, refusal = 0, ""
    while not refusal:
        try:
            sessions.append(await open_session(service))
        except NoRoomError as error:
            refusal = str(error)
        if service.turned and not comfortable:
            comfortable = len(sessions) - 1
    await asyncio.sleep(SETTLE_SECONDS)
    held = fleet.weigh()[0].mebibytes
    return [
        Figure(
            "streams until new sessions are redirected", comfortable, "", None, "307"
        ),
        Figure("streams until there is no room", len(sessions), "", None, refusal),
        Figure(
            "memory then",
            held,
            "MiB",
            MEMORY_LIMIT_MEBIBYTES,
            f"idle {idle:.0f} MiB; a hub with one backend",
        ),
    ]


def main() -> None:
    """Measure both parts and print the table."""
    parser = argparse.ArgumentParser(prog="benchmarks.connections", description=__doc__)
    parser.add_argument("--sessions", type=int, default=1000)
    parser.add_argument("--every", type=float, default=5.0, help="seconds")
    parser.add_argument("--seconds", type=float, default=60.0)
    given = parser.parse_args()
    plan = Plan(given.sessions, given.every, given.seconds)
    conditions = list(describe_conditions())
    with open_postgres() as postgres:
        backend = describe_postgres(postgres)
        print(f"== {plan.sessions} sessions on {REPLICAS} replicas", file=sys.stderr)
        with running_fleet(backend, REPLICAS) as fleet:
            figures = list(report_run(plan, asyncio.run(run_sessions(fleet, plan))))
        print("== one replica until it is full", file=sys.stderr)
        with running_fleet(backend, 1) as fleet:
            figures += asyncio.run(fill(fleet))
    print("\n".join([*conditions, "", render_table(figures)]))


if __name__ == "__main__":
    main()
