"""Twelve real clients keep calling while hubs are restarted, shrunk, drained, killed.

`make bench-faults` does this with fifty clients and every fault; what each kind of
client bears is in docs/reliability.md.
"""

import asyncio
from collections.abc import Iterator

import pytest

from benchmarks.faults.bench import Bench
from benchmarks.faults.faults import CUT
from benchmarks.faults.fleet import CUT as CLIENTS
from benchmarks.faults.ledger import Call, Outcome
from benchmarks.faults.report import render_failures
from benchmarks.faults.runner import FaultRun, run_faults, running_load
from tests.support.installation import Installation

PLANNED = [
    "rolling restart",
    "scale down",
    "scale down, undone",
    "node drained",
    "node drained, undone",
]
UNPLANNED = "pod SIGKILLed"

Runs = dict[str, FaultRun]


@pytest.fixture(scope="module")
def bench(installation: Installation, stopwatch) -> Iterator[Bench]:
    """Two hubs of five replicas beside `demo`."""
    bench = Bench(installation.trial, installation.shell)
    with stopwatch("two more hubs of five replicas made"):
        bench.prepare()
    yield bench
    bench.dismantle()


@pytest.fixture(scope="module")
def runs(bench: Bench, tmp_path_factory: pytest.TempPathFactory, stopwatch):
    """What became of every call while each fault was done to the hubs."""

    async def run() -> list[FaultRun]:
        folder = tmp_path_factory.mktemp("load") / "files"
        async with running_load(bench, CLIENTS, folder) as load:
            return await run_faults(bench, load, CUT, lambda _: None)

    with stopwatch("four faults under load"):
        runs = asyncio.run(run())
    return {run.name: run for run in runs}


def find_failed(run: FaultRun) -> list[Call]:
    return [c for c in run.ledger.calls if c.outcome is not Outcome.RIGHT]


@pytest.mark.parametrize("fault", PLANNED)
def test_a_planned_change_costs_no_call_over_mcp(runs: Runs, fault):
    failed = [c for c in find_failed(runs[fault]) if "/mcp" in c.kind]

    assert failed == [], render_failures([runs[fault]])


@pytest.mark.parametrize("fault", PLANNED)
def test_a_planned_change_costs_no_call_in_flight_over_sse(runs: Runs, fault):
    """A call fails that comes too late for its stream; none that a hub took."""
    failed = [c for c in find_failed(runs[fault]) if not c.orphaned]

    assert failed == [], render_failures([runs[fault]])


def test_a_killed_pod_leaves_no_call_over_mcp_without_an_answer(runs: Runs):
    """Over /sse, TypeScript clients wait to their own limit for a dead stream."""
    failed = find_failed(runs[UNPLANNED])

    lost = [c for c in failed if c.outcome is Outcome.LOST and "/mcp" in c.kind]

    assert lost == [], render_failures([runs[UNPLANNED]])


@pytest.mark.parametrize("fault", [*PLANNED, UNPLANNED])
def test_every_kind_of_client_was_answered_meanwhile(runs: Runs, fault):
    right = {c.kind for c in runs[fault].ledger.calls if c.outcome is Outcome.RIGHT}

    assert right == {kind.name for kind in CLIENTS}
    assert runs[fault].problem == ""


def test_clients_of_the_typescript_sdk_never_need_a_new_session(runs: Runs):
    reopened = [
        recovery.kind
        for name in PLANNED
        for recovery in runs[name].ledger.recoveries
        if recovery.how == "reopened"
    ]

    assert [kind for kind in reopened if not kind.startswith("Python /sse")] == []
