"""D33: a namespace that cannot be served keeps no other from being served."""

from collections.abc import AsyncIterator
from http import HTTPStatus
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from mcphub_operator.client.kinds import CONFIG_MAP
from tests.support.api_proxy.proxy import Proxy, open_administrators_proxy
from tests.support.api_proxy.request_info import RequestInfo
from tests.support.api_proxy.rules import Answer, never
from tests.support.running_operator import (
    Running,
    World,
    open_world,
    running_operator,
)
from tests.support.waiting import wait_until
from tools.cluster.apiserver import ApiAccess

FORBIDDEN = Answer(HTTPStatus.FORBIDDEN, "Forbidden")


@pytest.fixture
async def proxy(
    api_server: ApiAccess, world: World, tmp_path: Path
) -> AsyncIterator[Proxy]:
    path = tmp_path / "kubeconfig"
    async with open_administrators_proxy(
        api_server.url, api_server.pki, path
    ) as running:
        world.kubeconfig = str(path)
        yield running


@pytest.fixture
async def other(api_server: ApiAccess, world: World) -> AsyncIterator[World]:
    """Another namespace, for which the operator has no Role at first."""
    name = f"{world.namespace}-other"
    async with open_world(str(api_server.kubeconfig), name) as opened:
        yield opened


def served(running: Running, namespace: str) -> float | None:
    return running.operator.metrics.registry.get_sample_value(
        "mcphub_operator_namespace_served", {"namespace": namespace}
    )


async def has_config_map(world: World, name: str = "team-data") -> bool:
    return await world.find(CONFIG_MAP, name) is not None


async def test_d33_what_can_be_served_is_served_and_the_rest_is_named(
    world: World, other: World, proxy: Proxy
):
    def refuse(info: RequestInfo) -> Answer | None:
        return FORBIDDEN if info.namespace == other.namespace else None

    proxy.rule = refuse
    chosen = (other.namespace, world.namespace)
    await other.apply_hub()
    with capture_logs() as logs:
        async with running_operator(world, namespaces=chosen) as running:
            await world.apply_hub()
            await wait_until(lambda: has_config_map(world))

            assert other.namespace in running.operator.readiness.note
            assert served(running, other.namespace) == 0
            assert served(running, world.namespace) == 1
            assert await other.find(CONFIG_MAP, "team-data") is None

            proxy.rule = never

            await wait_until(lambda: has_config_map(other))
            assert running.operator.readiness.note == ""
            assert served(running, other.namespace) == 1
            await other.apply_hub("later")
            await wait_until(lambda: has_config_map(other, "later"))
    told = [line for line in logs if line["event"] == "namespace_not_served"]
    assert [line["namespace"] for line in told] == [other.namespace]


async def test_d33_a_namespace_that_does_not_exist_is_no_obstacle(world: World):
    chosen = (f"{world.namespace}-misspelt", world.namespace)
    async with running_operator(world, namespaces=chosen):
        await world.apply_hub()

        await wait_until(lambda: has_config_map(world))
