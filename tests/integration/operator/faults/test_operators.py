"""Operators that come, go, overlap, and whose clock jumps."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from itertools import cycle
from pathlib import Path

import pytest

from tests.support.api_proxy.proxy import Proxy, open_administrators_proxy
from tests.support.api_proxy.request_info import RequestInfo
from tests.support.api_proxy.rules import (
    Answer,
    Injection,
    Rule,
    Silence,
    build_answer,
    never,
)
from tests.support.fault_matrix.end_state import State
from tests.support.fault_matrix.killable import killable_operator, restarted_operator
from tests.support.fault_matrix.matrix import Matrix, Run
from tests.support.fault_matrix.runner import (
    RELIST_SECONDS,
    STEP_SECONDS,
    Fault,
    Runner,
    Sandbox,
    count_idle_writes,
    rest,
)
from tests.support.fault_matrix.scenario import Scenario
from tests.support.running_operator import running_operator
from tests.support.waiting import wait_until

pytestmark = pytest.mark.timeout(400)


def note(
    matrix: Matrix, name: str, hubs: int, sandbox: Sandbox, **counts: float
) -> None:
    matrix.add(Run(name, hubs, violations=len(sandbox.watcher.violations), **counts))


async def test_changes_while_no_operator_runs_are_found_by_the_next(
    runner: Runner, scenario: Scenario, matrix: Matrix
):
    """Hubs, children and Secrets change and go while no operator watches."""
    expected, began = await runner.find_end(scenario), time.monotonic()
    async with runner.open_sandbox() as sandbox:
        for step in scenario.steps:
            await step(sandbox.world)
            async with running_operator(sandbox.world) as running:
                await rest(running)
        wrong = await sandbox.wait_for_end(expected)
        async with running_operator(sandbox.world) as running:
            await running.settle()
            idle = [*running.requests.writes, *await count_idle_writes(running)]
    seconds, name = time.monotonic() - began, "no operator while anything changes"
    idle_writes, ended = len(idle), int(bool(wrong))
    note(
        matrix,
        name,
        scenario.hubs,
        sandbox,
        wrong=ended,
        idle_writes=idle_writes,
        seconds=seconds,
    )
    assert (wrong, idle, sandbox.watcher.violations) == ([], [], [])


async def test_a_clock_that_jumps_changes_nothing(
    runner: Runner, scenario: Scenario, monkeypatch: pytest.MonkeyPatch
):
    hours = cycle((0, 30, -30, 9000, -9000))

    def now() -> datetime:
        return datetime.now(UTC) + timedelta(hours=next(hours))

    @asynccontextmanager
    async def inject(_stage: Sandbox) -> AsyncIterator[None]:
        yield

    monkeypatch.setattr("mcphub_operator.runtime.wiring.now", now)
    fault = Fault("clock jumps back and forth", inject)

    assert await runner.run(scenario, fault) == []


def cut_off(info: RequestInfo) -> Injection:
    del info
    return Silence()


def without_lease(info: RequestInfo) -> Answer | None:
    return build_answer(500) if info.resource == "leases" else None


@asynccontextmanager
async def second_way(runner: Runner, folder: Path) -> AsyncIterator[Proxy]:
    """A proxy of its own for the second operator."""
    pki = runner.server.pki
    path = folder / "second.yaml"
    async with open_administrators_proxy(runner.server.url, pki, path) as proxy:
        yield proxy


def has_lease(proxy: Proxy) -> bool:
    return any(
        each.info.resource == "leases" and each.info.is_write and each.status < 300
        for each in proxy.traffic.seen
    )


def writes_of(proxy: Proxy) -> list[float]:
    """When a proxy passed writes of children on."""
    return [
        each.at
        for each in proxy.traffic.seen
        if each.info.is_write and each.info.resource != "leases" and each.status
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
    runner: Runner,
    scenario: Scenario,
    matrix: Matrix,
    tmp_path: Path,
    name: str,
    rule: Rule,
):
    expected, began = await runner.find_end(scenario), time.monotonic()
    lease = {"leader_election": True, "relist_seconds": RELIST_SECONDS}
    async with runner.open_sandbox() as sandbox, second_way(runner, tmp_path) as other:
        world, first = sandbox.world, sandbox.proxy
        leader = killable_operator(
            world.kubeconfig, world.namespace, tmp_path / "leader.log", **lease
        )
        async with leader as leading:
            await wait_until(lambda: has_lease(first))
            standby = restarted_operator(
                str(tmp_path / "second.yaml"),
                world.namespace,
                tmp_path / "standby.log",
                **lease,
            )
            async with standby:
                wrong = await _run_with_two(
                    scenario, sandbox, (first, other), rule, expected
                )
                await wait_until(lambda: leading.process.exitcode is not None)
                code = leading.process.exitcode
    overlap = [at for at in writes_of(first) if at > min(writes_of(other))]
    note(
        matrix,
        name,
        scenario.hubs,
        sandbox,
        wrong=int(bool(wrong or overlap)),
        seconds=time.monotonic() - began,
    )
    assert (wrong, overlap, sandbox.watcher.violations, code) == ([], [], [], 1)


async def _run_with_two(
    scenario: Scenario,
    sandbox: Sandbox,
    proxies: tuple[Proxy, Proxy],
    rule: Rule,
    expected: State,
) -> list[str]:
    """Run a scenario whose leader fails in the midst of writing its first hubs."""
    first, other = proxies
    begin, *later = scenario.steps
    await begin(sandbox.world)
    await wait_until(lambda: len(writes_of(first)) >= 5)
    first.rule = rule
    await wait_until(lambda: has_lease(other))
    first.rule = never
    for step in later:
        await step(sandbox.world)
        await asyncio.sleep(STEP_SECONDS)  # part of the scenario
    return await sandbox.wait_for_end(expected)
