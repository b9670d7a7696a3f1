"""Prints what the server costs: `python -m benchmarks [part …]`.

All parts run by default. Run it on a machine that does nothing else; the figures of a
busy one are too high and uneven, which the load average at the top shows.
"""

import argparse
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from benchmarks.calls import CallCost, Target, ask_health, ask_list, measure_calls
from benchmarks.client import CLASSIC, MODERN, BareClient
from benchmarks.conditions import describe_conditions
from benchmarks.cpu import limited_to
from benchmarks.databases import (
    build_dsn,
    describe_postgres,
    open_others,
    open_postgres,
)
from benchmarks.drivers import measure_drivers
from benchmarks.figures import Figure, render_table
from benchmarks.governed import RULES, TOOLS, build_rules, build_tools
from benchmarks.hostile import KINDS
from benchmarks.hub import (
    HOSTILE_TOKEN,
    TOKEN,
    Backend,
    running_hub,
    write_hub,
    write_live,
)
from benchmarks.memory import measure_idle, measure_sessions
from benchmarks.neighbours import (
    measure_beside,
    measure_quiet,
    processors_shared,
)
from benchmarks.processes import ServerProcess, running, wait_until_ready
from benchmarks.replies import QUICK, SLOW, measure_replies
from benchmarks.rows import measure_rows
from benchmarks.startup import measure_imports, measure_start
from benchmarks.steady import measure_alone, measure_beside_rows
from benchmarks.tracing import report_traces
from benchmarks.transports import report_transports
from tests.support.postgres import PostgresServer
from tools.ports import reserve_port
from tools.project import ROOT

SESSIONS = 1000


def report_calls(folder: Path, postgres: PostgresServer) -> Iterator[Figure]:
    """Compare the trivial call with the bare SDK's and with bare FastMCP's."""
    with ExitStack() as stack:
        targets: dict[str, Target] = {}
        for kind in ("sdk", "fastmcp"):
            port = reserve_port()
            argv = [sys.executable, "-m", "benchmarks.baseline", kind, str(port)]
            env = {"PYTHONPATH": str(ROOT), "FASTMCP_LOG_ENABLED": "false"}
            server = stack.enter_context(running(argv, folder / f"{kind}.log", env))
            wait_until_ready(server, f"http://127.0.0.1:{port}/mcp")
            targets[kind] = Target(server, BareClient(port))
        hub = write_hub(folder / "hub", [describe_postgres(postgres)])
        server = stack.enter_context(running_hub(hub))
        targets["hub"] = Target(server, BareClient(hub.port, TOKEN))
        for revision in (CLASSIC, MODERN):
            yield from _compare_calls(revision, measure_calls(targets, revision))


def _compare_calls(revision: str, costs: dict[str, CallCost]) -> Iterator[Figure]:
    sdk, fastmcp, hub = (costs[kind] for kind in ("sdk", "fastmcp", "hub"))
    yield Figure(
        f"trivial call, {revision}",
        hub.cpu_ms / sdk.cpu_ms,
        "x",
        0.7,
        f"hub {hub.cpu_ms:.2f} ms / SDK {sdk.cpu_ms:.2f} ms of CPU",
    )
    yield Figure(
        f"the same, bare FastMCP, {revision}",
        fastmcp.cpu_ms / sdk.cpu_ms,
        "x",
        None,
        f"FastMCP {fastmcp.cpu_ms:.2f} ms / SDK {sdk.cpu_ms:.2f} ms of CPU",
    )


def report_governed(folder: Path, postgres: PostgresServer) -> Iterator[Figure]:
    """Compare calls and lists of a hub with tools and rules with those without."""
    tools = {"tools": build_tools()}
    lives: dict[str, dict[str, Any]] = {
        "bare": {},
        "tools": tools,
        "governed": tools | {"access": build_rules()},
    }
    with ExitStack() as stack:
        clients: dict[str, tuple[ServerProcess, BareClient]] = {}
        for name, live in lives.items():
            hub = write_hub(folder / name, [describe_postgres(postgres)])
            write_live(hub, live)
            server = stack.enter_context(running_hub(hub))
            clients[name] = server, BareClient(hub.port, TOKEN)
        for what, ask, base in (
            ("a call", ask_health, "bare"),
            ("tools/list", ask_list, "tools"),
        ):
            targets = {name: Target(*clients[name], ask) for name in (base, "governed")}
            costs = measure_calls(targets, CLASSIC)
            yield Figure(
                f"{what} with {TOOLS} declared tools and {RULES} rules",
                costs["governed"].cpu_ms / costs[base].cpu_ms,
                "x",
                1.1,
                f"with {costs['governed'].cpu_ms:.2f} ms / without "
                f"{costs[base].cpu_ms:.2f} ms of CPU",
            )


def report_rows(folder: Path, postgres: PostgresServer) -> Iterator[Figure]:
    """Compare 1,000 rows through the hub with asyncpg's own fetch."""
    hub = write_hub(folder / "hub", [describe_postgres(postgres)])
    with running_hub(hub) as server:
        client = BareClient(hub.port, TOKEN)
        cost = measure_rows(server, client, build_dsn(postgres))
    ways, size = cost.hub, cost.answer_bytes / 1024
    yield Figure(
        "1,000 rows of 8 columns",
        ways.wall_ms / cost.fetch.wall_ms,
        "x",
        2.3,
        f"hub {ways.wall_ms:.1f} ms / fetch {cost.fetch.wall_ms:.1f} ms of waiting; "
        f"{size:.0f} KiB",
    )
    yield Figure(
        "the same in CPU",
        ways.cpu_ms / cost.fetch.cpu_ms,
        "x",
        None,
        f"hub {ways.cpu_ms:.1f} ms / fetch {cost.fetch.cpu_ms:.1f} ms, both without "
        "PostgreSQL's",
    )


def report_replies(folder: Path, postgres: PostgresServer) -> Iterator[Figure]:
    """Compare replies that survive their connection with plain JSON."""
    hub = write_hub(folder / "hub", [describe_postgres(postgres)])
    with running_hub(hub) as server:
        for kind, words in (
            (QUICK, "at once"),
            (SLOW, "after some 0.2 s, as a stream"),
        ):
            cost = measure_replies(server, hub.port, TOKEN, kind)
            yield Figure(
                f"a reply that survives, {words}",
                cost.surviving_ms / cost.plain_ms,
                "x",
                None,
                f"surviving {cost.surviving_ms:.2f} ms / plain JSON "
                f"{cost.plain_ms:.2f} ms of CPU",
            )


def report_start(folder: Path, postgres: PostgresServer) -> Iterator[Figure]:
    """Time the start on one CPU and on half of one."""
    hub = write_hub(folder / "hub", [describe_postgres(postgres)])
    for share, words in ((1.0, "one CPU"), (0.5, "half a CPU")):
        with limited_to(share) as before:
            start, imports = measure_start(hub, before), measure_imports(before)
        how = "process start to ready, CPU quota of a control group"
        yield Figure(f"start on {words}", start, "s", None, how)
        yield Figure(
            f"the same to imports, {words}",
            start / imports,
            "x",
            None,
            f"hub {start:.2f} s / importing fastmcp, asyncpg, uvicorn {imports:.2f} s",
        )


def report_memory(folder: Path, postgres: PostgresServer) -> Iterator[Figure]:
    """Weigh the hub: idle with one and three backends, and with sessions."""
    one: list[Backend] = [describe_postgres(postgres)]
    hub = write_hub(folder / "one", one)
    resident = "resident, all backends connected"
    yield Figure("idle with PostgreSQL", measure_idle(hub), "MiB", 85, resident)
    with open_others(folder) as others:
        three = write_hub(folder / "three", [*one, *others.describe()])
        idle = measure_idle(three)
    yield Figure("idle with three backends", idle, "MiB", 140, resident)
    yield Figure(
        f"{SESSIONS} SSE sessions",
        measure_sessions(hub, SESSIONS),
        "MiB",
        256,
        "resident above idle, sessions initialised and open",
    )


def report_neighbours(folder: Path, postgres: PostgresServer) -> Iterator[Figure]:
    """Compare a client's p99 beside another's worst inputs with its quiet p99."""
    away = [
        Backend({"name": "neo4j", "neo4j": {"uri": "bolt://127.0.0.1:1"}}),
        Backend({"name": "qdrant", "qdrant": {"url": "http://127.0.0.1:1"}}),
    ]
    backends = [describe_postgres(postgres), *away]
    hub = write_hub(folder / "hub", backends, {"limits": {}})
    (hub.folder / "tokens" / "hostile").write_text(HOSTILE_TOKEN, encoding="utf-8")
    with processors_shared(postgres) as before, running_hub(hub, before) as server:
        for kind in KINDS:
            quiet = measure_quiet(hub, TOKEN)
            beside = measure_beside(hub, server, (TOKEN, HOSTILE_TOKEN), kind)
            yield Figure(
                f"p99 beside another client's {kind}",
                beside.p99_ms / quiet.p99_ms,
                "x",
                5,
                f"{beside.p99_ms:.0f} / {quiet.p99_ms:.0f} ms; {beside.failures} calls "
                f"failed; {beside.watched.rss_mebibytes:.0f} MiB resident; "
                f"{beside.watched.liveness_failures} liveness checks failed",
            )


def report_drivers(folder: Path, _postgres: PostgresServer) -> Iterator[Figure]:
    """Compare ten rows of Neo4j and ten hits of Qdrant with the drivers' own."""
    with open_others(folder) as others:
        yield from measure_drivers(folder, others)


def report_sessions(folder: Path, _postgres: PostgresServer) -> Iterator[Figure]:
    """Compare calls in sessions and forwarded ones with those without a session."""
    yield from report_transports(folder)


def report_steady(folder: Path, postgres: PostgresServer) -> Iterator[Figure]:
    """Compare the p99 of 100 calls a second beside large results with the quiet one."""
    hub = write_hub(folder / "hub", [describe_postgres(postgres)])
    (hub.folder / "tokens" / "hostile").write_text(HOSTILE_TOKEN, encoding="utf-8")
    with processors_shared(postgres) as before, running_hub(hub, before):
        measure_alone(hub)  # warms up
        quiet, beside = measure_alone(hub), measure_beside_rows(hub)
        yield Figure(
            "p99 of 100 calls/s beside 1,000-row results",
            beside.p99_ms / quiet.p99_ms,
            "x",
            3,
            f"{beside.p99_ms:.1f} / {quiet.p99_ms:.1f} ms; "
            f"{len(quiet.failures) + len(beside.failures)} calls failed",
        )


PARTS: dict[str, Callable[[Path, PostgresServer], Iterator[Figure]]] = {
    "calls": report_calls,
    "traces": report_traces,
    "governed": report_governed,
    "rows": report_rows,
    "drivers": report_drivers,
    "sessions": report_sessions,
    "replies": report_replies,
    "start": report_start,
    "memory": report_memory,
    "steady": report_steady,
    "neighbours": report_neighbours,
}


def main() -> None:
    """Measure the parts that were asked for, and print the table."""
    parser = argparse.ArgumentParser(prog="benchmarks", description=__doc__)
    parser.add_argument("parts", nargs="*", help=", ".join(PARTS))
    chosen = parser.parse_args().parts or list(PARTS)
    conditions = list(describe_conditions())
    figures: list[Figure] = []
    with tempfile.TemporaryDirectory() as folder, open_postgres() as postgres:
        for part in chosen:
            print(f"== {part}", file=sys.stderr)
            place = Path(folder) / part
            place.mkdir()
            figures += PARTS[part](place, postgres)
    print("\n".join([*conditions, "", render_table(figures)]))


if __name__ == "__main__":
    main()
