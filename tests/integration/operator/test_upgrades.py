"""A new operator version: hubs roll a few at a time, old objects are found again."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from mcphub_operator import names
from mcphub_operator.client.kinds import (
    BY_NAME,
    CHILD_KINDS,
    DEPLOYMENT,
    EVENT,
    HUB,
    POD,
)
from mcphub_operator.client.writer import Writer
from tests.support import frozen
from tests.support.running_operator import World, make_pods_ready, running_operator
from tests.support.waiting import wait_until

HUBS = [f"hub-{number}" for number in range(5)]
OLD, NEW = "mcphub-server:old", "mcphub-server:new"


async def images(world: World) -> list[str]:
    found = await world.list(DEPLOYMENT)
    return [
        d["spec"]["template"]["spec"]["containers"][0]["image"]
        for d in sorted(found, key=lambda d: d["metadata"]["name"])
    ]


class TestAnUpgrade:
    async def test_rolls_a_few_hubs_at_a_time_and_goes_on_as_they_come_ready(
        self, world: World
    ):
        await self.install(world)
        async with running_operator(
            world, server_image=NEW, upgrade_concurrency=2
        ) as running:
            await running.settle()
            rolled = (await images(world)).count(NEW)
            told = {name: await world.condition("Reconciling", name) for name in HUBS}

            waves = [rolled]
            while rolled < len(HUBS):
                for name, image in zip(HUBS, await images(world), strict=True):
                    if image == NEW:
                        await make_pods_ready(world, name, 1)
                await running.settle()
                rolled = (await images(world)).count(NEW)
                waves.append(rolled)

        assert waves == [2, 4, 5]
        waiting = [c for c in told.values() if c["reason"] == "UpgradePaused"]
        assert len(waiting) == 3

    async def test_goes_on_after_a_restart_of_the_operator(self, world: World):
        await self.install(world)
        for _ in range(3):
            async with running_operator(
                world, server_image=NEW, upgrade_concurrency=2
            ) as running:
                await running.settle()

                assert (await images(world)).count(NEW) == 2

    async def test_does_not_keep_a_users_change_waiting(self, world: World):
        await self.install(world)
        async with running_operator(
            world, server_image=NEW, upgrade_concurrency=1
        ) as running:
            await running.settle()

            await world.apply_hub(HUBS[-1], logging={"level": "debug"})
            await running.settle()

            assert (await images(world))[-1] == NEW

    async def test_goes_past_hubs_that_are_paused(self, world: World):
        await self.install(world)
        async with running_operator(world, server_image=OLD) as running:
            for name in HUBS[:2]:
                await world.apply_hub(name, paused=True)
            await running.settle()

        async with running_operator(
            world, server_image=NEW, upgrade_concurrency=1
        ) as running:
            await running.settle()

            assert (await images(world)).count(NEW) == 1
            assert (await images(world))[:2] == [OLD, OLD]

    async def install(self, world: World) -> None:
        """Hubs that run the old version, all of them Ready."""
        async with running_operator(world, server_image=OLD) as running:
            for name in HUBS:
                await world.apply_hub(name)
            await running.settle()
            for name in HUBS:
                await make_pods_ready(world, name, 1)
            await running.settle()
            for name in HUBS:
                assert (await world.condition("Ready", name))["status"] == "True"


def frozen_children(path: Path, world: World, hub: dict[str, Any]) -> Any:
    return frozen.read_frozen(path, world.namespace, hub["metadata"]["uid"])


@pytest.mark.parametrize("path", frozen.FILES, ids=lambda path: path.stem)
class TestObjectsOfAnEarlierVersion:
    async def test_are_found_kept_and_not_doubled(self, world: World, path: Path):
        hub = await world.apply_hub(**frozen.SPEC)
        writer = Writer(world.api, lambda: 10.0)
        before = {}
        for child in frozen_children(path, world, hub):
            written = await writer.apply(child)
            key = (child["kind"], child["metadata"]["name"])
            before[key] = written["metadata"]["uid"]

        async with running_operator(world) as running:
            await running.settle()
            await world.wait_condition("Stalled", "False")

        selector = f"{names.LABEL_INSTANCE}=team-data"
        after = {
            (kind.name, item["metadata"]["name"]): item["metadata"]["uid"]
            for kind in CHILD_KINDS
            for item in await world.list(kind, selector)
        }
        assert after == before

    async def test_keep_their_keys_and_tokens(self, world: World, path: Path):
        hub = await world.apply_hub(**frozen.SPEC)
        writer = Writer(world.api, lambda: 10.0)
        children = frozen_children(path, world, hub)
        for child in children:
            await writer.apply(child)

        async with running_operator(world) as running:
            await running.settle()

        for child in children:
            if child["kind"] == "Secret":
                name = child["metadata"]["name"]
                found = await world.get(BY_NAME["Secret"], name)
                assert found["data"].items() >= child["data"].items()


class TestReadyPods:
    async def test_make_a_hub_ready_and_give_it_a_url(self, world: World):
        async with running_operator(world) as running:
            await world.apply_hub(replicas=2)
            await wait_until(lambda: _has_pods(world, 2))

            await make_pods_ready(world, "team-data", 2)
            await world.wait_condition("Ready", "True", "Available")
            await world.wait_condition("Reconciling", "False")
            await running.settle()

            status = (await world.get(HUB, "team-data"))["status"]
            assert status["summary"]["replicas"] == "2/2"
            url = f"http://team-data.{world.namespace}.svc:8000/mcp"
            assert status["endpoints"]["mcp"] == url

    async def test_that_go_take_the_url_with_them(self, world: World):
        async with running_operator(world):
            await world.apply_hub(replicas=1)
            await wait_until(lambda: _has_pods(world, 1))
            await make_pods_ready(world, "team-data", 1)
            await world.wait_condition("Ready", "True")

            for pod in await world.list(POD):
                await world.end_pod(pod["metadata"]["name"])

            await world.wait_condition("Ready", "False", "NoReadyReplica")
            assert "endpoints" not in (await world.get(HUB, "team-data"))["status"]

    async def test_are_told_by_one_event(self, world: World):
        async with running_operator(world) as running:
            await world.apply_hub(replicas=1)
            await wait_until(lambda: _has_pods(world, 1))
            await make_pods_ready(world, "team-data", 1)
            await world.wait_condition("Ready", "True", "Available")
            await running.settle()

            events = await _events(world)

        assert [e["reason"] for e in events] == ["Available"]
        assert events[0]["type"] == "Normal"
        assert events[0]["regarding"]["name"] == "team-data"


async def _has_pods(world: World, count: int) -> bool:
    await asyncio.sleep(0)
    return len(await world.list(POD)) == count


async def _events(world: World) -> list[dict[str, Any]]:
    found = await world.list(EVENT)
    return [e for e in found if e["regarding"]["kind"] == names.KIND]
