"""Who decides how many replicas, and that a change of hands changes no count."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from mcphub_operator import names
from mcphub_operator.cache.reflector import Reflector, Scope
from mcphub_operator.client.api import Found, Object
from mcphub_operator.client.kinds import AUTOSCALER, DEPLOYMENT, HUB
from tests.support.running_operator import Running, World, running_operator
from tests.support.waiting import wait_until


async def replicas(world: World) -> int | None:
    found = await world.find(DEPLOYMENT, "team-data")
    return found["spec"]["replicas"] if found else None


async def wait_replicas(world: World, count: int) -> None:
    async def holds() -> bool:
        return await replicas(world) == count

    await wait_until(holds)


class Recorder:
    """What a watch reports about the count of one Deployment."""

    def __init__(self) -> None:
        self.counts: list[int] = []
        self.version = ""

    def upsert(self, item: Object) -> None:
        self.version = item["metadata"]["resourceVersion"]
        count = item["spec"]["replicas"]
        if self.counts[-1:] != [count]:
            self.counts.append(count)

    def remove(self, _item: Object) -> None:
        pass

    def replace(self, _namespace: str | None, _found: Found) -> None:
        pass


@asynccontextmanager
async def recorded_counts(world: World) -> AsyncIterator[list[int]]:
    """Every count that a generation of the Deployment had, in order."""
    recorder, scope = Recorder(), Scope(DEPLOYMENT, world.namespace)
    task = asyncio.create_task(Reflector(world.api, scope, recorder, 600).run())

    async def is_up_to_date() -> bool:
        found = await world.get(DEPLOYMENT, "team-data")
        return bool(recorder.version == found["metadata"]["resourceVersion"])

    try:
        await wait_until(is_up_to_date)
        yield recorder.counts
        await wait_until(is_up_to_date)
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def _has_its_label(world: World) -> bool:
    found = await world.get(DEPLOYMENT, "team-data")
    return names.LABEL_MANAGED_BY in found["metadata"]["labels"]


async def autoscale(world: World, count: int) -> None:
    """Play the autoscaler: it writes through the scale subresource."""
    change = {"spec": {"replicas": count}}
    await world.patch(DEPLOYMENT, "team-data", change, "/scale")


class TestWithoutAutoscaling:
    async def test_the_hubs_scale_subresource_rules(self, world: World):
        async with running_operator(world):
            await world.apply_hub(replicas=2)
            await wait_replicas(world, 2)

            await world.patch(HUB, "team-data", {"spec": {"replicas": 5}}, "/scale")

            await wait_replicas(world, 5)

    async def test_scaling_the_deployment_is_corrected(self, world: World):
        async with running_operator(world):
            await world.apply_hub(replicas=2)
            await wait_replicas(world, 2)

            await autoscale(world, 6)

            await wait_replicas(world, 2)

    async def test_scaling_to_zero_is_settled_and_said(self, world: World):
        async with running_operator(world):
            await world.apply_hub(replicas=0)

            await world.wait_condition("Ready", "False", "ScaledToZero")
            await world.wait_condition("Reconciling", "False")


class TestAutoscaling:
    SPEC = {"minReplicas": 2, "maxReplicas": 8}  # noqa: RUF012 - never changed

    async def test_starts_at_its_least(self, world: World):
        async with running_operator(world) as running:
            await world.apply_hub(autoscaling={"minReplicas": 3})
            await wait_replicas(world, 3)
            await running.settle()

            assert await replicas(world) == 3

    async def test_turned_on_changed_and_off_never_passes_through_another_count(
        self, world: World
    ):
        async with running_operator(world) as running:
            await world.apply_hub(replicas=4)
            await wait_replicas(world, 4)
            async with recorded_counts(world) as counts:
                await world.apply_hub(replicas=4, autoscaling=self.SPEC)
                await wait_until(lambda: _has_autoscaler(world))
                await running.settle()
                await autoscale(world, 7)
                await running.settle()
                await world.apply_hub(
                    replicas=4, autoscaling={"minReplicas": 3, "maxReplicas": 9}
                )
                await running.settle()
                await world.apply_hub(replicas=4)
                await wait_replicas(world, 4)
                await running.settle()

        assert counts == [4, 7, 4]

    async def test_keeps_the_count_of_a_deployment_that_lost_its_label(
        self, world: World
    ):
        """To the watch it is gone; created again it would start at its minimum."""
        async with running_operator(world) as running:
            await world.apply_hub(autoscaling=self.SPEC)
            await wait_until(lambda: _has_autoscaler(world))
            await running.settle()
            await autoscale(world, 7)
            await running.settle()
            async with recorded_counts(world) as counts:
                lost = {"metadata": {"labels": {names.LABEL_MANAGED_BY: None}}}
                await world.patch(DEPLOYMENT, "team-data", lost)
                await wait_until(lambda: _has_its_label(world))
                await running.settle()

        assert counts == [7]

    async def test_leaves_the_count_to_the_autoscaler(self, world: World):
        async with running_operator(world) as running:
            await world.apply_hub(autoscaling=self.SPEC)
            await wait_until(lambda: _has_autoscaler(world))
            await running.settle()

            await autoscale(world, 6)
            running.operator.enqueue_all()
            await running.settle()

            assert await replicas(world) == 6

    async def test_keeps_the_count_through_a_change_of_the_spec(self, world: World):
        async with running_operator(world) as running:
            await world.apply_hub(autoscaling=self.SPEC)
            await wait_until(lambda: _has_autoscaler(world))
            await running.settle()
            await autoscale(world, 6)

            await world.apply_hub(autoscaling=self.SPEC, logging={"level": "debug"})
            await running.settle()

            assert await replicas(world) == 6


class TestAForeignAutoscaler:
    BODY = {  # noqa: RUF012 - never changed
        "metadata": {"name": "theirs"},
        "spec": {
            "scaleTargetRef": {
                "apiVersion": "apps/v1",
                "kind": "Deployment",
                "name": "team-data",
            },
            "maxReplicas": 9,
        },
    }

    async def test_is_reported_and_not_fought(self, world: World):
        async with running_operator(world) as running:
            await world.apply_hub(replicas=2)
            await wait_replicas(world, 2)

            await world.create(AUTOSCALER, self.BODY)
            told = await world.wait_condition("Stalled", "True", "Conflict")
            await autoscale(world, 6)
            await running.settle()

            assert "theirs" in told["message"]
            assert await replicas(world) == 6

    async def test_that_goes_gives_the_count_back_to_the_hub(self, world: World):
        async with running_operator(world) as running:
            await world.apply_hub(replicas=2)
            await world.create(AUTOSCALER, self.BODY)
            await world.wait_condition("Stalled", "True", "Conflict")
            await autoscale(world, 6)
            await running.settle()

            await world.delete(AUTOSCALER, "theirs")

            await wait_replicas(world, 2)
            await world.wait_condition("Stalled", "False")


async def _has_autoscaler(world: World) -> bool:
    return await world.find(AUTOSCALER, "team-data") is not None


class TestAHandoverThatTheApiServerRefuses:
    async def test_is_not_tried_again_and_again(self, world: World):
        """The Deployment stays as it is, with its count, until the hub changes."""
        async with running_operator(world) as running:
            await world.apply_hub(replicas=2)
            await wait_replicas(world, 2)
            await running.settle()
            running.requests.forget()

            await world.apply_hub(
                autoscaling={"minReplicas": 2, "maxReplicas": 4},
                pod={"annotations": {"not a key": "x"}},
            )
            await wait_until(lambda: refusals(running) > 0)
            await running.settle()

            assert refusals(running) < 5
            assert await replicas(world) == 2


def refusals(running: Running) -> int:
    return sum(request.status == 422 for request in running.requests.made)
