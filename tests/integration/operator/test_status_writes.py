"""Statuses as the API server takes them from the operator's writer."""

import pytest

from mcphub_operator.client.kinds import HUB
from mcphub_operator.client.writer import Writer
from mcphub_operator.errors import Conflict
from tests.support.running_operator import World


def tell(message: str) -> dict[str, object]:
    condition = {
        "type": "Ready",
        "status": "False",
        "reason": "Progressing",
        "message": message,
        "lastTransitionTime": "2026-01-01T00:00:00Z",
    }
    return {"observedGeneration": 1, "conditions": [condition]}


@pytest.fixture
def writer(world: World) -> Writer:
    return Writer(world.api, lambda: 60.0)


@pytest.mark.parametrize("text", ["1 < 2 & 3 > 2", "é 漢字 \u2028", '"\\"', "plain"])
async def test_any_text_can_be_replaced_by_the_next(
    world: World, writer: Writer, text: str
):
    seen = await writer.replace_status(await world.apply_hub(), tell(text))

    written = await writer.replace_status(seen, tell("next"))

    assert seen["status"] == tell(text)
    assert written["status"] == tell("next")


async def test_a_hub_that_changed_since_it_was_seen_keeps_its_status(
    world: World, writer: Writer
):
    seen = await world.apply_hub()
    first = await writer.replace_status(seen, tell("first"))

    with pytest.raises(Conflict):
        await writer.replace_status(seen, tell("late"))

    found = await world.api.get(HUB, world.namespace, "team-data")
    assert found["status"] == first["status"]
