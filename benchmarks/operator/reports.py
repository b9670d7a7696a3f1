"""The parts of the benchmark, each a few lines of the table."""

from collections.abc import AsyncIterator

from benchmarks.figures import Figure
from benchmarks.operator.baseline import Baseline, measure_baseline
from benchmarks.operator.bench import Bench
from benchmarks.operator.changes import Latencies, measure_alone, measure_in_crowd
from benchmarks.operator.creation import CHILDREN, Cost, create_hubs
from benchmarks.operator.failing import failing_hub
from benchmarks.operator.hubs import build_names
from benchmarks.operator.memory import cycle, empty, grow_to, split
from benchmarks.operator.plane import drop_hubs, open_user
from benchmarks.operator.pods import bring_up
from benchmarks.operator.process import OperatorProcess
from benchmarks.operator.rest import measure_rest, measure_restart

Figures = AsyncIterator[Figure]
LEAST_WRITES = CHILDREN + 1
"""Each child, and the status."""
FEW_HUBS = 100


async def report_creation(bench: Bench) -> Figures:
    """Compare many hubs applied at once with the same writes by a bare client."""
    size = bench.size
    async with open_user(bench.server, "baseline") as user:
        baseline = await measure_baseline(user, size.hubs)
        await drop_hubs(user)
        await user.clear_children()
    async with bench.operator() as operator:
        await operator.settle()
        names = build_names(size.hubs)
        cost = await create_hubs(bench.user, operator, names, baseline.concurrency)
    for figure in _compare_creation(baseline, cost):
        yield figure


def _compare_creation(baseline: Baseline, cost: Cost) -> list[Figure]:
    everybody = cost.operator_cpu + cost.server_cpu + cost.user_cpu
    return [
        Figure(
            f"{cost.hubs} hubs until all children are written",
            cost.children_seconds / baseline.children_seconds,
            "x",
            1.3,
            f"operator {cost.children_seconds:.1f} s / bare client"
            f" {baseline.children_seconds:.1f} s, {baseline.concurrency} at a time",
        ),
        Figure(
            "the same until rest, statuses too",
            cost.all_seconds / baseline.all_seconds,
            "x",
            None,
            f"{cost.all_seconds:.1f} s / {baseline.all_seconds:.1f} s",
        ),
        Figure(
            "the same in CPU of all programs, until rest",
            everybody / baseline.cpu_seconds,
            "x",
            None,
            f"operator {cost.operator_cpu:.1f} + API server and etcd"
            f" {cost.server_cpu:.1f} + user {cost.user_cpu:.1f} s"
            f" / bare client and API server {baseline.cpu_seconds:.1f} s",
        ),
        Figure(
            "API writes for a new hub",
            cost.writes / cost.hubs,
            "",
            LEAST_WRITES,
            f"the least: {CHILDREN} children and a status",
        ),
        Figure(
            "API reads for a new hub",
            cost.reads / cost.hubs,
            "",
            None,
            "is the hub still there, and the user's Secret",
        ),
    ]


async def report_rest(bench: Bench) -> Figures:
    """Look on while every hub has a ready pod and nothing happens."""
    names = build_names(bench.size.hubs)
    async with bench.operator() as operator:
        await grow_to(bench.user, operator, len(names), bench.size.concurrency)
        await bring_up(bench.user, names)
        await operator.settle()
        rest = await measure_rest(operator, bench.size.rest_seconds)
        mebibytes = operator.server.rss_mebibytes
    how = f"{len(names)} hubs with one polled pod each, {rest.minutes:.0f} min"
    yield Figure("writes a minute at rest", rest.writes / rest.minutes, "", 0, how)
    yield Figure("reads a minute at rest", rest.reads / rest.minutes, "", None, how)
    cpu = rest.cpu_seconds * 1000 / rest.minutes / len(names)
    share = rest.cpu_seconds / rest.minutes / 60 * 100
    yield Figure(
        "CPU of a hub a minute at rest",
        cpu,
        "ms",
        None,
        f"{share:.1f} % of one CPU for all; metrics read twice, Lease renewed",
    )
    yield Figure("resident, the same", mebibytes, "MiB", None, how)


async def report_changes(bench: Bench) -> Figures:
    """Change one hub alone, then while all others change."""
    size = bench.size
    async with bench.operator() as operator:
        first, *others = build_names(size.hubs)
        await grow_to(bench.user, operator, size.hubs, size.concurrency)
        alone = await measure_alone(bench.user, first, size.rounds)
        crowd = await measure_in_crowd(bench.user, first, others, size.concurrency)
        await operator.settle()
    for figure in _compare_changes(alone):
        yield figure
    yield Figure(
        "a change of replicas while all others change, p99",
        crowd.own.p99 / alone.raw.p50,
        "x",
        None,
        f"p50 / p99 {crowd.own}; {crowd.others} hubs changed in {crowd.seconds:.1f} s,"
        f" {crowd.own.count} changes among them",
    )


def _compare_changes(alone: Latencies) -> list[Figure]:
    raw = f"one raw apply {alone.raw}"
    return [
        Figure(
            f"a change of {what} until written, {name}",
            value / baseline,
            "x",
            goal,
            f"p50 / p99 {spread}; {raw}",
        )
        for what, spread in (
            ("replicas", alone.replicas),
            ("configuration", alone.configuration),
        )
        for name, value, baseline, goal in (
            ("p50", spread.p50, alone.raw.p50, None),
            ("p99", spread.p99, alone.raw.p99, 3.0),
        )
    ]


async def report_failing(bench: Bench) -> Figures:
    """Change one hub alone, and beside one that always fails after seconds."""
    async with (
        open_user(bench.server, "failing") as other,
        bench.operator() as operator,
    ):
        await grow_to(bench.user, operator, FEW_HUBS, bench.size.concurrency)
        first = build_names(1)[0]
        alone = await measure_alone(bench.user, first, bench.size.rounds)
        async with failing_hub(other):
            beside = await measure_alone(bench.user, first, bench.size.rounds)
        await drop_hubs(other)
    yield Figure(
        "a change beside a hub that always fails, p50",
        beside.replicas.p50 / alone.replicas.p50,
        "x",
        1.3,
        f"beside it {beside.replicas} / without it {alone.replicas}",
    )


async def report_restart(bench: Bench) -> Figures:
    """Start an operator where every hub is as it should be."""
    size = bench.size
    async with bench.operator() as operator:
        await grow_to(bench.user, operator, size.hubs, size.concurrency)
    async with bench.operator() as operator:
        restart = await measure_restart(operator, size.hubs)
    how = f"{size.hubs} hubs, from the start of the process"
    yield Figure(
        "restart until in sync",
        restart.seconds,
        "s",
        10,
        f"{how}; {restart.cpu_seconds:.1f} s of CPU, {restart.gets:.0f} GETs",
    )
    yield Figure("writes at a restart", restart.writes, "", 0, how)
    yield Figure("resident after a restart", restart.mebibytes, "MiB", 150, how)


async def report_memory(bench: Bench) -> Figures:
    """Weigh the operator with more and more hubs, and after many came and went."""
    size = bench.size
    await drop_hubs(bench.user)
    await bench.user.clear_children()
    async with bench.operator() as operator:
        await operator.settle()
        resident = "resident at rest"
        yield Figure("0 hubs", operator.server.rss_mebibytes, "MiB", None, resident)
        for count in (FEW_HUBS, size.hubs, size.many_hubs):
            found = await grow_to(bench.user, operator, count, size.concurrency)
            goal = 150 if count == size.hubs else None
            yield Figure(f"{count} hubs", found, "MiB", goal, resident)
        await empty(bench.user, operator)
        yield Figure("all deleted", operator.server.rss_mebibytes, "MiB", None, "")
        async for figure in _report_cycles(bench, operator):
            yield figure


async def _report_cycles(bench: Bench, operator: OperatorProcess) -> Figures:
    size, found = bench.size, list[float]()
    for count in split(size.cycles, size.batch):
        weight = await cycle(bench.user, operator, count, size.concurrency)
        found.append(weight)
    half = found[len(found) // 2]
    yield Figure(
        f"growth in the later half of {size.cycles} hubs made and deleted",
        found[-1] / half,
        "x",
        1.02,
        f"{half:.0f} → {found[-1]:.0f} MiB",
    )


PARTS = {
    "creation": report_creation,
    "rest": report_rest,
    "changes": report_changes,
    "failing": report_failing,
    "restart": report_restart,
    "memory": report_memory,
}
