"""The operator through an API server that refuses, forgets, freezes or goes away."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from mcphub_operator.client.kinds import CHILD_KINDS, CONFIG_MAP, DEPLOYMENT, HUB
from tests.support.api_proxy.proxy import Proxy, open_administrators_proxy
from tests.support.api_proxy.request_info import RequestInfo
from tests.support.api_proxy.rules import (
    Answer,
    Late,
    after,
    first,
    is_verb,
    is_write,
    never,
)
from tests.support.running_operator import World, running_operator
from tests.support.waiting import wait_until
from tools.cluster.apiserver import ApiAccess

pytestmark = pytest.mark.timeout(180)


@pytest.fixture
async def proxy(
    api_server: ApiAccess, world: World, tmp_path: Path
) -> AsyncIterator[Proxy]:
    pki = api_server.pki
    path = tmp_path / "kubeconfig"
    async with open_administrators_proxy(api_server.url, pki, path) as running:
        world.kubeconfig = str(path)
        yield running


async def has_all_children(world: World, name: str = "team-data") -> bool:
    selector = f"app.kubernetes.io/instance={name}"
    found = [item for kind in CHILD_KINDS for item in await world.list(kind, selector)]
    return len(found) == 8


class TestAWriteThatIsRefusedForAWhile:
    @pytest.mark.parametrize(
        "answer",
        [
            pytest.param(Answer(500, "InternalError"), id="500"),
            pytest.param(Answer(503, "ServiceUnavailable"), id="503"),
            pytest.param(Answer(404, "NotFound"), id="404 that names no object"),
            pytest.param(Answer(409, "Conflict"), id="409"),
            pytest.param(
                Answer(429, "TooManyRequests", {"Retry-After": "1"}), id="429"
            ),
        ],
    )
    async def test_is_made_later(self, world: World, proxy: Proxy, answer):
        proxy.rule = first(12, is_write, answer)
        async with running_operator(world):
            await world.apply_hub()

            await wait_until(lambda: has_all_children(world), timeout_seconds=30)


class TestAnAnswerThatComesAfterTheChildsEnd:
    async def test_does_not_hide_that_the_child_is_gone(
        self, world: World, proxy: Proxy
    ):
        async with running_operator(world) as running:
            await world.apply_hub()
            await wait_until(lambda: has_all_children(world))
            await running.settle()
            before = await world.get(CONFIG_MAP, "team-data")

            async def is_mended() -> bool:
                found = await world.get(CONFIG_MAP, "team-data")
                return bool(found["data"] == before["data"])

            proxy.rule = first(1, is_write, Late(1.0))
            await world.patch(CONFIG_MAP, "team-data", {"data": {"hub.yaml": "x"}})
            await wait_until(is_mended)
            await world.delete(CONFIG_MAP, "team-data")

            await wait_until(lambda: has_all_children(world))


class TestAWatch:
    async def test_that_is_cut_goes_on(self, world: World, proxy: Proxy):
        async with running_operator(world) as running:
            await world.apply_hub()
            await wait_until(lambda: has_all_children(world))
            await running.settle()

            proxy.cut_streams()
            await world.delete(CONFIG_MAP, "team-data")
            await world.apply_hub("second")

            await wait_until(lambda: has_all_children(world), timeout_seconds=30)
            await wait_until(
                lambda: has_all_children(world, "second"), timeout_seconds=30
            )

    async def test_whose_place_is_gone_finds_what_was_deleted_meanwhile(
        self, world: World, proxy: Proxy
    ):
        """The deletions are in no event: only a list can tell."""
        async with running_operator(world) as running:
            await world.apply_hub()
            await world.apply_hub("second")
            await wait_until(lambda: has_all_children(world))
            await wait_until(lambda: has_all_children(world, "second"))
            await running.settle()
            proxy.rule = after(1, is_verb("watch"), Answer(410, "Expired"))
            proxy.cut_streams()
            await world.delete(CONFIG_MAP, "team-data")
            await world.delete(HUB, "second")
            await asyncio.sleep(0.5)

            proxy.rule = never

            await wait_until(lambda: has_all_children(world), timeout_seconds=40)
            await wait_until(
                lambda: len(running.operator.caches.hubs.keys()) == 1,
                timeout_seconds=40,
            )


class TestAnAPIServer:
    async def test_that_restarts_is_found_again(
        self, world: World, api_server: ApiAccess, lasting_thread
    ):
        loop = asyncio.get_running_loop()
        async with running_operator(world) as running:
            await world.apply_hub()
            await wait_until(lambda: has_all_children(world))

            await loop.run_in_executor(lasting_thread, api_server.stop)
            await asyncio.sleep(1)
            await loop.run_in_executor(lasting_thread, api_server.start)
            await world.apply_hub(replicas=3)

            async def scaled() -> bool:
                found = await world.get(DEPLOYMENT, "team-data")
                return found["spec"]["replicas"] == 3

            await wait_until(scaled, timeout_seconds=60)
            await running.settle()

    async def test_that_froze_in_a_write_is_asked_again(
        self, world: World, proxy: Proxy
    ):
        """A call without an answer ends after ten seconds, not with the process."""
        async with running_operator(world) as running:
            await world.apply_hub()
            await wait_until(lambda: has_all_children(world))
            await running.settle()
            proxy.flows.clear()
            await world.apply_hub(replicas=4)
            await asyncio.sleep(2)

            proxy.flows.set()

            async def scaled() -> bool:
                found = await world.get(DEPLOYMENT, "team-data")
                return found["spec"]["replicas"] == 4

            await wait_until(scaled, timeout_seconds=60)


async def test_one_hub_that_always_fails_does_not_slow_the_others(
    world: World, proxy: Proxy
):
    def is_bad(info: RequestInfo) -> bool:
        return info.name.startswith("bad") and is_write(info)

    proxy.rule = after(1, is_bad, Answer(500, "InternalError"))
    async with running_operator(world, workers=1):
        await world.apply_hub("bad")
        await asyncio.sleep(1)

        await world.apply_hub("good")

        await wait_until(lambda: has_all_children(world, "good"), timeout_seconds=5)
