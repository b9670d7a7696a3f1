"""Operators that come, go, overlap, and whose clock jumps."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from itertools import cycle
from pathlib import Path

import pytest

from tests.support.api_proxy.asked import Asked
from tests.support.api_proxy.faults import (
    Answer,
    Fault,
    Rule,
    Silence,
    build_answer,
    never,
)
from tests.support.api_proxy.proxy import Proxy, open_administrators_proxy
from tests.support.fault_matrix import telling
from tests.support.fault_matrix.end_state import State
from tests.support.fault_matrix.matrix import Matrix, Run
from tests.support.fault_matrix.processes import killable_operator
from tests.support.fault_matrix.story import Story
from tests.support.fault_matrix.telling import Stage, Theater, count_idle_writes, rest
from tests.support.running_operator import running_operator
from tests.support.waiting import wait_until

pytestmark = pytest.mark.timeout(400)


def note(matrix: Matrix, name: str, hubs: int, stage: Stage, **counts: float) -> None:
    matrix.add(Run(name, hubs, lies=len(stage.witness.lies), **counts))


async def test_changes_while_no_operator_runs_are_found_by_the_next(
    theater: Theater, story: Story, matrix: Matrix
):
    """Hubs, children and Secrets change and go, each time nobody looks."""
    expected, began = await theater.find_end(story), time.monotonic()
    async with theater.open_stage() as stage:
        for step in story.steps:
            await step(stage.world)
            async with running_operator(stage.world) as running:
                await rest(running)
        wrong = await stage.wait_for_end(expected)
        async with running_operator(stage.world) as running:
            await running.settle()
            idle = [*running.requests.writes, *await count_idle_writes(running)]
    seconds, name = time.monotonic() - began, "no operator while anything changes"
    idle_writes, ended = len(idle), int(bool(wrong))
    note(
        matrix,
        name,
        story.hubs,
        stage,
        wrong=ended,
        idle_writes=idle_writes,
        seconds=seconds,
    )
    assert (wrong, idle, stage.witness.lies) == ([], [], [])


async def test_a_clock_that_jumps_changes_nothing(
    theater: Theater, story: Story, monkeypatch: pytest.MonkeyPatch
):
    hours = cycle((0, 30, -30, 9000, -9000))

    def now() -> datetime:
        return datetime.now(UTC) + timedelta(hours=next(hours))

    @asynccontextmanager
    async def strike(_stage: Stage) -> AsyncIterator[None]:
        yield

    monkeypatch.setattr("mcphub_operator.service.wiring.now", now)
    fault = telling.Fault("clock jumps back and forth", strike)

    assert await theater.tell(story, fault) == []


def cut_off(asked: Asked) -> Fault:
    del asked
    return Silence()


def without_lease(asked: Asked) -> Answer | None:
    return build_answer(500) if asked.resource == "leases" else None


@asynccontextmanager
async def second_way(theater: Theater, folder: Path) -> AsyncIterator[Proxy]:
    """A proxy of its own for the second operator."""
    pki = theater.server.kubeconfig.parents[1] / "pki"
    path = folder / "second.yaml"
    async with open_administrators_proxy(theater.server.url, pki, path) as proxy:
        yield proxy


def has_lease(proxy: Proxy) -> bool:
    return any(
        each.asked.resource == "leases" and each.asked.is_write and each.status < 300
        for each in proxy.traffic.seen
    )


def writes_of(proxy: Proxy) -> list[float]:
    """When a proxy passed writes of children on."""
    return [
        each.at
        for each in proxy.traffic.seen
        if each.asked.is_write and each.asked.resource != "leases" and each.status
    ]


@pytest.mark.parametrize(
    ("name", "rule"),
    [
        pytest.param(
            "leader cut off while it writes", cut_off, id="cut off while it writes"
        ),
        pytest.param(
            "leader cannot renew while it writes",
            without_lease,
            id="cannot renew while it writes",
            marks=pytest.mark.full_matrix,
        ),
    ],
)
async def test_a_leader_that_lost_its_lease_writes_no_more(
    theater: Theater,
    story: Story,
    matrix: Matrix,
    tmp_path: Path,
    name: str,
    rule: Rule,
):
    expected, began = await theater.find_end(story), time.monotonic()
    lease = {"leader_election": True, "relist_seconds": telling.RELIST_SECONDS}
    async with theater.open_stage() as stage, second_way(theater, tmp_path) as other:
        world, first = stage.world, stage.proxy
        leader = killable_operator(
            world.kubeconfig, world.namespace, tmp_path / "leader.log", **lease
        )
        async with leader as process:
            await wait_until(lambda: has_lease(first), 30)
            standby = killable_operator(
                str(tmp_path / "second.yaml"),
                world.namespace,
                tmp_path / "standby.log",
                **lease,
            )
            async with standby:
                wrong = await _tell_with_two(
                    story, stage, (first, other), rule, expected
                )
                await wait_until(lambda: process.exitcode is not None, 30)
                code = process.exitcode
    overlap = [at for at in writes_of(first) if at > min(writes_of(other))]
    note(
        matrix,
        name,
        story.hubs,
        stage,
        wrong=int(bool(wrong or overlap)),
        seconds=time.monotonic() - began,
    )
    assert (wrong, overlap, stage.witness.lies, code) == ([], [], [], 1)


async def _tell_with_two(
    story: Story,
    stage: Stage,
    proxies: tuple[Proxy, Proxy],
    rule: Rule,
    expected: State,
) -> list[str]:
    """Tell a story whose leader falls in the midst of writing its first hubs."""
    first, other = proxies
    begin, *later = story.steps
    await begin(stage.world)
    await wait_until(lambda: len(writes_of(first)) >= 5, 20)
    first.rule = rule
    await wait_until(lambda: has_lease(other), 60)
    first.rule = never
    for step in later:
        await step(stage.world)
        await asyncio.sleep(telling.STEP_SECONDS)
    return await stage.wait_for_end(expected)
