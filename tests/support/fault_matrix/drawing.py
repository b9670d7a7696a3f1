"""A story with hubs whose specs are drawn from the CRD's schema."""

from itertools import pairwise
from typing import Any

from support.fault_matrix.story import Story
from support.fault_matrix.telling import Theater
from support.generated_specs import SECRET, SECRET_DATA, choose_accepted, draw_specs
from support.running_operator import World, running_operator

DRAWN_FOR_ONE = 8


async def draw_story(theater: Theater, pairs: int) -> Story:
    """Return the story with so many hubs that go from one drawn spec to another."""
    if not pairs:
        return Story()
    async with theater.open_stage() as stage:
        specs = await _choose(stage.world, draw_specs(DRAWN_FOR_ONE * (pairs + 1)))
    assert len(specs) > pairs
    taken = specs[: pairs + 1]
    return Story(tuple(pairwise(taken)), {SECRET: SECRET_DATA})


async def _choose(world: World, drawn: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the specs of which the API server takes all that follows from them."""
    await world.create_secret(SECRET, **SECRET_DATA)
    accepted = await choose_accepted(world, drawn)
    async with running_operator(world) as running:
        for number, spec in enumerate(accepted):
            await world.apply_hub(f"drawn-{number}", **spec)
        await running.settle()
        return [
            spec
            for number, spec in enumerate(accepted)
            if (await world.condition("Stalled", f"drawn-{number}"))["status"] != "True"
        ]
