"""A cut of `make bench-operator`: what must hold however busy the machine is."""

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from benchmarks.operator.bench import Bench, Size, open_bench
from benchmarks.operator.changes import measure_change, watching_deployment
from benchmarks.operator.creation import CHILDREN, Cost, count_children, create_hubs
from benchmarks.operator.failing import TIMEOUT_SECONDS, failing_hub
from benchmarks.operator.hubs import build_names
from benchmarks.operator.memory import grow_to
from benchmarks.operator.plane import open_user, running_plane
from benchmarks.operator.pods import bring_up
from benchmarks.operator.rest import Rest, Restart, measure_rest, measure_restart

pytestmark = pytest.mark.timeout(600)

HUBS = 30
"""Made within a minute: later, it would be told that no controller looks at them."""
MORE_HUBS = 90
REST_SECONDS = 5.0
CHANGES = 6
MOST_KIBIBYTES = 150
"""Of a hub; a body kept twice, or as objects, takes more."""


@dataclass(frozen=True, slots=True)
class Findings:
    """What one run over a hundred hubs found."""

    birth: Cost
    children: int
    rest: Rest
    kibibytes: float
    restart: Restart
    beside_failing: list[float]


async def look(bench: Bench) -> Findings:
    names = build_names(HUBS)
    async with bench.operator() as operator:
        await operator.settle()
        birth = await create_hubs(bench.user, operator, names, 16)
        children, light = await count_children(bench.user), birth.mebibytes
        await bring_up(bench.user, names)
        await operator.settle()
        rest = await measure_rest(operator, REST_SECONDS)
        heavy = await grow_to(bench.user, operator, MORE_HUBS, 16)
        await bring_up(bench.user, build_names(MORE_HUBS)[HUBS:])
        await operator.settle()
    async with bench.operator() as operator:
        restart = await measure_restart(operator, MORE_HUBS)
        beside = await change_beside_a_failing_hub(bench)
    kibibytes = (heavy - light) * 1024 / (MORE_HUBS - HUBS)
    return Findings(birth, children, rest, kibibytes, restart, beside)


async def change_beside_a_failing_hub(bench: Bench) -> list[float]:
    first = build_names(1)[0]
    async with (
        open_user(bench.server, "failing") as other,
        failing_hub(other),
        watching_deployment(bench.user, first) as watch,
    ):
        return [
            await measure_change(bench.user, watch, first, replicas=2 + number)
            for number in range(CHANGES)
        ]


@pytest.fixture(scope="module")
def findings(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Findings]:
    folder: Path = tmp_path_factory.mktemp("scale")

    async def run() -> Findings:
        async with open_bench(server, folder, Size()) as bench:
            return await look(bench)

    with running_plane() as server:
        yield asyncio.run(run())


def test_every_child_of_every_hub_is_written(findings: Findings):
    assert findings.children == HUBS * CHILDREN


def test_a_new_hub_costs_one_write_a_child_and_one_status(findings: Findings):
    assert findings.birth.writes == HUBS * (CHILDREN + 1)


def test_a_new_hub_costs_no_read_that_a_table_could_answer(findings: Findings):
    """The hub itself and the user's Secret, whose data no watch brings; a few more."""
    assert findings.birth.reads <= HUBS * 2 + 5


def test_a_hub_at_rest_is_not_written(findings: Findings):
    assert findings.rest.writes == 0


def test_a_restart_writes_nothing(findings: Findings):
    assert findings.restart.writes == 0


def test_a_restart_reads_one_object_a_hub(findings: Findings):
    """The user's Secret, of which only a hash is kept; and a few at the start."""
    assert findings.restart.gets <= MORE_HUBS + 5


def test_memory_grows_by_little_for_each_hub(findings: Findings):
    assert findings.kibibytes <= MOST_KIBIBYTES


def test_a_hub_whose_writes_hang_does_not_hold_up_another(findings: Findings):
    # A busy machine may hold up one of them; the hanging hub would hold up each.
    assert min(findings.beside_failing) < TIMEOUT_SECONDS
