"""A scenario with hubs whose specs are drawn from the CRD's schema."""

from itertools import pairwise
from typing import Any

from mcphub_operator.client.kinds import HUB
from tests.support.fault_matrix.runner import Runner, is_at_rest
from tests.support.fault_matrix.scenario import Scenario
from tests.support.generated_specs import (
    SECRET,
    SECRET_DATA,
    choose_accepted,
    draw_specs,
)
from tests.support.running_operator import World, running_operator

DRAWN_FOR_ONE = 8


async def draw_scenario(runner: Runner, pairs: int) -> Scenario:
    """Return the scenario with so many hubs that go from one drawn spec to another."""
    if not pairs:
        return Scenario()
    async with runner.open_sandbox() as sandbox:
        specs = await _choose(sandbox.world, draw_specs(DRAWN_FOR_ONE * (pairs + 1)))
    assert len(specs) > pairs
    taken = specs[: pairs + 1]
    return Scenario(tuple(pairwise(taken)), {SECRET: SECRET_DATA})


async def _choose(world: World, drawn: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the specs whose hubs come to rest, as the end of a scenario wants it."""
    await world.create_secret(SECRET, **SECRET_DATA)
    accepted = await choose_accepted(world, drawn)
    async with running_operator(world) as running:
        for number, spec in enumerate(accepted):
            await world.apply_hub(f"drawn-{number}", **spec)
        await running.settle(pods_ready=True)
        # The others have no replicas, or the API server refuses what they need.
        rested = await _find_rested(world)
    return [spec for n, spec in enumerate(accepted) if f"drawn-{n}" in rested]


async def _find_rested(world: World) -> set[str]:
    return {
        hub["metadata"]["name"]
        for hub in await world.list(HUB)
        if is_at_rest(hub.get("status") or {})
    }
