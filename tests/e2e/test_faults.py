"""Twelve real clients keep calling while hubs are restarted, shrunk, drained, killed.

`make bench-faults` does this with fifty clients and every fault; what each kind of
client bears is in docs/reliability.md.
"""

import asyncio
from collections.abc import Iterator

import pytest

from benchmarks.faults.account import Call, Outcome
from benchmarks.faults.conduct import Episode, run_faults, running_load
from benchmarks.faults.faults import CUT
from benchmarks.faults.fleet import CUT as CLIENTS
from benchmarks.faults.report import render_complaints
from benchmarks.faults.stage import Stage
from tests.support.installation import Installation

pytestmark = pytest.mark.timeout(600)

PLANNED = [
    "rolling restart",
    "scale down",
    "scale down, undone",
    "node drained",
    "node drained, undone",
]
UNPLANNED = "pod SIGKILLed"

Account = dict[str, Episode]


@pytest.fixture(scope="module")
def stage(installation: Installation, stopwatch) -> Iterator[Stage]:
    """Two hubs of five replicas beside `demo`."""
    stage = Stage(installation.trial, installation.shell)
    with stopwatch("two more hubs of five replicas made"):
        stage.prepare()
    yield stage
    stage.dismantle()


@pytest.fixture(scope="module")
def account(stage: Stage, tmp_path_factory: pytest.TempPathFactory, stopwatch):
    """What became of every call while each fault was done to the hubs."""

    async def run() -> list[Episode]:
        folder = tmp_path_factory.mktemp("load") / "files"
        async with running_load(stage, CLIENTS, folder) as load:
            return await run_faults(stage, load, CUT, lambda _: None)

    with stopwatch("four faults under load"):
        episodes = asyncio.run(run())
    return {episode.name: episode for episode in episodes}


def find_failed(episode: Episode) -> list[Call]:
    return [c for c in episode.ledger.calls if c.outcome is not Outcome.RIGHT]


@pytest.mark.parametrize("fault", PLANNED)
def test_a_planned_change_costs_no_call_over_mcp(account: Account, fault):
    failed = [c for c in find_failed(account[fault]) if "/mcp" in c.kind]

    assert failed == [], render_complaints([account[fault]])


@pytest.mark.parametrize("fault", PLANNED)
def test_a_planned_change_costs_no_call_in_flight_over_sse(account: Account, fault):
    """A call fails that comes too late for its stream; none that a hub took."""
    failed = [c for c in find_failed(account[fault]) if not c.orphaned]

    assert failed == [], render_complaints([account[fault]])


def test_a_killed_pod_leaves_no_call_over_mcp_without_an_answer(account: Account):
    """Over /sse, TypeScript clients wait to their own limit for a dead stream."""
    failed = find_failed(account[UNPLANNED])

    lost = [c for c in failed if c.outcome is Outcome.LOST and "/mcp" in c.kind]

    assert lost == [], render_complaints([account[UNPLANNED]])


@pytest.mark.parametrize("fault", [*PLANNED, UNPLANNED])
def test_every_kind_of_client_was_answered_meanwhile(account: Account, fault):
    right = {c.kind for c in account[fault].ledger.calls if c.outcome is Outcome.RIGHT}

    assert right == {kind.name for kind in CLIENTS}
    assert account[fault].complaint == ""


def test_clients_of_the_typescript_sdk_never_need_a_new_session(account: Account):
    reopened = [
        comeback.kind
        for name in PLANNED
        for comeback in account[name].ledger.comebacks
        if comeback.how == "reopened"
    ]

    assert [kind for kind in reopened if not kind.startswith("Python /sse")] == []
