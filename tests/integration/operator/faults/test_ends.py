"""The end of hubs and of namespaces, with and without an operator."""

import time
from typing import Any

import pytest

from mcphub_operator import names
from mcphub_operator.client.api import Call
from mcphub_operator.client.kinds import CHILD_KINDS, HUB
from mcphub_operator.errors import NotFound
from tests.support.fault_matrix.matrix import Matrix, Run
from tests.support.fault_matrix.runner import Runner, Sandbox
from tests.support.fault_matrix.scenario import BEGINNING
from tests.support.running_operator import World, running_operator
from tests.support.waiting import wait_until


async def make_hubs(world: World) -> None:
    await world.create_secret("login", username="u", password="p")
    await world.create_secret("late", username="u", password="p")
    for name, spec in BEGINNING.items():
        await world.apply_hub(name, **spec)
    for name in BEGINNING:
        await world.wait_condition("Reconciling", "False", name=name)


async def has_nothing_left(world: World) -> bool:
    found = [
        await world.list(kind, names.MANAGED_SELECTOR) for kind in (*CHILD_KINDS, HUB)
    ]
    return not any(found)


async def ask_for_namespace(world: World, method: str) -> dict[str, Any] | None:
    path = f"/api/v1/namespaces/{world.namespace}"
    verb = "get" if method == "GET" else "delete"
    try:
        return await world.api.ask(Call(verb, "Namespace", method, path))
    except NotFound:
        return None


async def namespace_is_gone(world: World) -> bool:
    return await ask_for_namespace(world, "GET") is None


def note(matrix: Matrix, name: str, began: float, sandbox: Sandbox) -> None:
    seconds, violations = time.monotonic() - began, len(sandbox.watcher.violations)
    matrix.add(Run(name, len(BEGINNING), violations=violations, seconds=seconds))


async def test_hubs_deleted_with_no_operator_leave_nothing(
    runner: Runner, matrix: Matrix
):
    began = time.monotonic()
    async with runner.open_sandbox() as sandbox:
        world = sandbox.world
        async with running_operator(world):
            await make_hubs(world)

        for name in BEGINNING:
            await world.delete(HUB, name)

        await wait_until(lambda: has_nothing_left(world))
        async with running_operator(world) as running:
            await running.settle()
            assert running.requests.writes == []
    note(matrix, "hubs deleted with no operator", began, sandbox)


@pytest.mark.parametrize("runs", ["an operator runs", "no operator runs"])
async def test_a_namespace_goes_while(runner: Runner, matrix: Matrix, runs: str):
    began = time.monotonic()
    async with runner.open_sandbox() as sandbox:
        world = sandbox.world
        async with running_operator(world) as running:
            await make_hubs(world)
            if runs == "an operator runs":
                await ask_for_namespace(world, "DELETE")
                await wait_until(lambda: namespace_is_gone(world))
                await running.settle()
                assert len(running.operator.caches.hubs.keys()) == 0
        if runs == "no operator runs":
            await ask_for_namespace(world, "DELETE")
            await wait_until(lambda: namespace_is_gone(world))
    assert sandbox.watcher.violations == []
    note(matrix, f"namespace deleted, {runs}", began, sandbox)
