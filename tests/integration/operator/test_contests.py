"""D24, D25: no two parties make the operator write without end, and it says so."""

import asyncio
import time

import pytest

from mcphub_operator.client.kinds import DEPLOYMENT, EVENT, SERVICE
from mcphub_operator.reconcile import budget
from mcphub_operator.runtime.process import Operator
from tests.support.running_operator import World, running_operator
from tests.support.waiting import wait_until

BURST = 15
REFILL_SECONDS = 3.0
"""An operator's own budget fills as quickly as a slow machine spends it."""

OBSERVED_SECONDS = 4.0
OBJECTS = 10
"""A hub has eight children here, its status and Events."""


@pytest.fixture(autouse=True)
def small_budget(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(budget, "BURST", BURST)
    monkeypatch.setattr(budget, "REFILL_SECONDS", REFILL_SECONDS)


def most_writes(seconds: float) -> float:
    """What two operators may write in a time, each, once a burst is spent.

    One of them is held back, and the other one only answers it.
    """
    return OBJECTS * (seconds / REFILL_SECONDS + 1)


async def test_d24_a_second_installation_leaves_hubs_to_the_first(world: World):
    image = "mcphub-server:1"
    async with running_operator(world, lease_name="a", server_image=image) as first:
        await world.apply_hub()
        await world.wait_condition("Stalled", "False")
        await first.settle()
        async with running_operator(world, lease_name="b") as second:
            installations = second.operator.workers.reconciler.claims.installations
            await wait_until(lambda: installations.count_left == 1)
            await wait_until(lambda: has_event(world, "AnotherOperator"))
            await first.settle()
            second.requests.forget()

            await world.apply_hub(replicas=2)
            await world.wait_condition("Stalled", "False")
            await wait_until(lambda: has_replicas(world, 2))
            for each in (first, second):
                each.operator.enqueue_all()
                await each.settle()

            assert second.requests.writes == []
            assert installations.count_left == 1
    deployment = await world.get(DEPLOYMENT, "team-data")
    (container,) = deployment["spec"]["template"]["spec"]["containers"]
    assert container["image"] == image


async def has_event(world: World, reason: str) -> bool:
    return any(event["reason"] == reason for event in await world.list(EVENT))


async def has_replicas(world: World, count: int) -> bool:
    deployment = await world.get(DEPLOYMENT, "team-data")
    return bool(deployment["spec"]["replicas"] == count)


async def test_d24_two_operators_of_two_releases_do_not_write_without_end(
    world: World,
):
    """Of one Lease that they do not keep, as one without a Lease of its own."""
    async with (
        running_operator(world, server_image="mcphub-server:1") as first,
        running_operator(world, server_image="mcphub-server:2") as second,
    ):
        running = (first, second)
        await world.apply_hub()
        told = await world.wait_condition("Stalled", "True", "FieldContested")
        assert "second operator" in told["message"]

        async def is_quiet() -> bool:
            for each in running:
                each.requests.forget()
            began = time.monotonic()
            # a rate is seen over time, by nothing else
            await asyncio.sleep(OBSERVED_SECONDS)
            most = most_writes(time.monotonic() - began)
            return max(len(each.requests.writes) for each in running) <= most

        # Bursts of objects end one after the other, on a busy machine late.
        await wait_until(is_quiet)
        assert any(has_held_back(each.operator) for each in running)


def has_held_back(operator: Operator) -> bool:
    """Whether an operator has spent what it may write at once to some object."""
    found = operator.metrics.registry.collect()
    held = (s for m in found for s in m.samples if s.name.endswith("held_back_total"))
    return any(sample.value for sample in held)


async def test_d24_one_operator_recovers_when_the_other_is_gone(world: World):
    async with running_operator(world, server_image="mcphub-server:1"):
        await world.apply_hub()
        async with running_operator(world, server_image="mcphub-server:2"):
            await world.wait_condition("Stalled", "True", "FieldContested")

        await world.wait_condition("Stalled", "False")


async def test_d24_a_controller_that_undoes_a_field_does_not_make_a_hot_loop(
    world: World,
):
    """It is quick, so that the budget is spent; the operator says what happens."""
    async with running_operator(world) as running:
        began = time.monotonic()
        await world.apply_hub()
        await world.wait_condition("Stalled", "False")

        async def undo() -> None:
            change = {"metadata": {"labels": {"app.kubernetes.io/version": "theirs"}}}
            while True:
                await world.patch(SERVICE, "team-data", change)
                await asyncio.sleep(0.01)

        task = asyncio.create_task(undo())
        try:
            told = await world.wait_condition("Stalled", "True", "FieldContested")
        finally:
            task.cancel()

        assert "Service team-data (metadata.labels" in told["message"]
        refilled = (time.monotonic() - began) / REFILL_SECONDS
        assert running.requests.count()["apply Service"] <= 2 * BURST + refilled
        await world.wait_condition("Stalled", "False")
