"""The Gateway API comes and goes under a running operator."""

import asyncio

import pytest

from mcphub_operator.cache import optional_kind
from mcphub_operator.client.kinds import DEPLOYMENT, HTTP_ROUTE
from tests.support.gateway_api.definition import install_routes, remove_routes
from tests.support.observed import ROUTE
from tests.support.running_operator import (
    World,
    make_pods_ready,
    open_world,
    running_operator,
)
from tests.support.waiting import wait_until
from tools.cluster.apiserver import ApiServer


async def has_route(world: World) -> bool:
    return await world.find(HTTP_ROUTE, "team-data") is not None


async def test_a_hub_serves_without_it_and_is_routed_once_it_is_there(
    own_server: ApiServer, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(optional_kind, "POLL_SECONDS", 0.2)
    async with (
        open_world(str(own_server.kubeconfig), "team") as world,
        running_operator(world),
    ):
        await world.apply_hub(route=ROUTE)
        missing = await world.wait_condition("Routed", "False", "GatewayAPIMissing")
        assert "install the Gateway API" in missing["message"]
        await wait_until(lambda: _exists(world))
        await make_pods_ready(world, "team-data", 1)
        await world.wait_condition("Ready", "True", "NotRouted")

        for _ in range(2):  # installed, removed, installed again
            await asyncio.to_thread(install_routes, own_server)

            await world.wait_condition("Routed", "Unknown", "NotReported")
            await wait_until(lambda: has_route(world))

            await asyncio.to_thread(remove_routes, own_server)

            await world.wait_condition("Routed", "False", "GatewayAPIMissing")
        await world.wait_condition("Ready", "True", "NotRouted")


async def _exists(world: World) -> bool:
    return await world.find(DEPLOYMENT, "team-data") is not None
