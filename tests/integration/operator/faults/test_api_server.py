"""The operator through an API server that refuses, forgets, freezes or goes away."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import ThreadPoolExecutor
from http import HTTPStatus
from pathlib import Path

import pytest

from mcphub_operator.client.kinds import CHILD_KINDS, CONFIG_MAP, DEPLOYMENT, HUB
from mcphub_operator.resources.manifest import ChildId
from tests.support.api_proxy.proxy import Proxy, open_administrators_proxy
from tests.support.api_proxy.request_info import RequestInfo
from tests.support.api_proxy.rules import (
    Answer,
    Held,
    after,
    first,
    is_verb,
    is_write,
    never,
)
from tests.support.definition import install_definitions
from tests.support.running_operator import World, open_world, running_operator
from tests.support.waiting import wait_until
from tools.cluster.apiserver import ApiAccess, ApiServer, running_api_server


@pytest.fixture(scope="module")
def restartable() -> Iterator[ApiServer]:
    """An API server of these tests' own: others go on using the shared one."""
    prepared = running_api_server(prepare=install_definitions, controllers=False)
    with prepared as server:
        yield server


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

            await wait_until(lambda: has_all_children(world))


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

            def has_heard_of_the_end() -> bool:
                found = running.operator.caches.children.of(world.key())
                return ChildId("ConfigMap", "team-data") not in found

            answer = asyncio.Event()
            proxy.rule = first(1, is_write, Held(answer))
            await world.patch(CONFIG_MAP, "team-data", {"data": {"hub.yaml": "x"}})
            await wait_until(is_mended)
            await world.delete(CONFIG_MAP, "team-data")
            await wait_until(has_heard_of_the_end)

            answer.set()

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

            await wait_until(lambda: has_all_children(world))
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
            await wait_until(lambda: expired(proxy) >= {"configmaps", "mcphubs"})

            proxy.rule = never

            await wait_until(lambda: has_all_children(world))
            await wait_until(lambda: len(running.operator.caches.hubs.keys()) == 1)


def expired(proxy: Proxy) -> set[str]:
    """Which resources' watches were refused because their place is gone."""
    refused = [r.info for r in proxy.traffic.seen if r.status == HTTPStatus.GONE]
    return {info.resource for info in refused if info.verb == "watch"}


async def has_replicas(world: World, count: int) -> bool:
    found = await world.get(DEPLOYMENT, "team-data")
    return bool(found["spec"]["replicas"] == count)


class TestAnAPIServer:
    async def test_that_restarts_is_found_again(
        self, restartable: ApiServer, lasting_thread: ThreadPoolExecutor
    ):
        loop = asyncio.get_running_loop()
        async with (
            open_world(str(restartable.kubeconfig), "hubs") as world,
            running_operator(world) as running,
        ):
            await world.apply_hub()
            await wait_until(lambda: has_all_children(world))
            running.requests.forget()

            await loop.run_in_executor(lasting_thread, restartable.stop)
            await wait_until(lambda: any(r.error for r in running.requests.made))
            await loop.run_in_executor(lasting_thread, restartable.start)
            await world.apply_hub(replicas=3)

            await wait_until(lambda: has_replicas(world, 3))

    async def test_that_freezes_in_the_midst_of_a_write_ends_it_when_it_thaws(
        self, world: World, proxy: Proxy
    ):
        frozen: list[str] = []

        def freeze(info: RequestInfo) -> None:
            if is_write(info):
                proxy.flows.clear()
                frozen.append(info.resource)

        async with running_operator(world) as running:
            await world.apply_hub()
            await wait_until(lambda: has_all_children(world))
            await running.settle()
            proxy.rule = freeze
            await world.apply_hub(replicas=4)
            await wait_until(lambda: bool(frozen))

            proxy.rule = never
            proxy.flows.set()

            await wait_until(lambda: has_replicas(world, 4))


async def test_one_hub_that_always_fails_does_not_stop_the_others(
    world: World, proxy: Proxy
):
    def is_bad(info: RequestInfo) -> bool:
        return info.name.startswith("bad") and is_write(info)

    def failures() -> int:
        return sum(is_bad(each.info) for each in proxy.traffic.seen)

    proxy.rule = after(1, is_bad, Answer(500, "InternalError"))
    async with running_operator(world, workers=1):
        await world.apply_hub("bad")
        await wait_until(lambda: failures() > 0)

        await world.apply_hub("good")

        await wait_until(lambda: has_all_children(world, "good"))
