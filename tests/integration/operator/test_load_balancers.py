"""Services of type LoadBalancer; a small controller plays the one of a cloud.

Like MetalLB and the clouds' controllers, it gives each Service an address, and marks it
with a finalizer and annotations of its own.
"""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, suppress
from typing import Any

import pytest

from mcphub_operator.client.kinds import DEPLOYMENT, HUB, SERVICE
from tests.support.running_operator import (
    World,
    make_pods_ready,
    running_operator,
)
from tests.support.waiting import wait_until

CLEANUP = "service.kubernetes.io/load-balancer-cleanup"
MARK = "metallb.io/ip-allocated-from-pool"
INSIDE = "http://team-data.{namespace}.svc:8000/mcp"


@asynccontextmanager
async def handing_out(world: World, *entries: dict[str, str]) -> AsyncIterator[None]:
    """Give each Service that wants one the next entry; take it back later."""
    task = asyncio.create_task(control(world, iter(entries)))
    try:
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def control(world: World, entries: Iterator[dict[str, str]]) -> None:
    while True:
        for service in await world.list(SERVICE):
            await control_one(world, service, entries)
        await asyncio.sleep(0.05)


async def control_one(
    world: World, service: dict[str, Any], entries: Iterator[dict[str, str]]
) -> None:
    metadata = service["metadata"]
    name, given = metadata["name"], CLEANUP in metadata.get("finalizers", ())
    wants = (
        service["spec"]["type"] == "LoadBalancer"
        and "deletionTimestamp" not in metadata
    )
    if wants and not given:
        await mark(world, name, [CLEANUP], "mcp")
        balanced = {"status": {"loadBalancer": {"ingress": [next(entries)]}}}
        await world.patch(SERVICE, name, balanced, "/status")
    elif given and not wants:
        empty = {"status": {"loadBalancer": None}}
        await world.patch(SERVICE, name, empty, "/status")
        await mark(world, name, [], None)


async def mark(
    world: World, name: str, finalizers: list[str], pool: str | None
) -> None:
    metadata = {"finalizers": finalizers, "annotations": {MARK: pool}}
    await world.patch(SERVICE, name, {"metadata": metadata})


async def start(world: World, **spec: Any) -> None:
    await world.apply_hub(**spec)
    await wait_until(lambda: has_deployment(world))
    await make_pods_ready(world, "team-data", 1)


async def has_deployment(world: World) -> bool:
    return await world.find(DEPLOYMENT, "team-data") is not None


async def wait_url(world: World, url: str) -> None:
    async def holds() -> bool:
        status = (await world.get(HUB, "team-data")).get("status") or {}
        return bool((status.get("endpoints") or {}).get("mcp") == url)

    await wait_until(holds)


@pytest.mark.parametrize(
    ("entry", "port", "url"),
    [
        pytest.param({"ip": "192.0.2.10"}, 8000, "http://192.0.2.10:8000", id="IPv4"),
        pytest.param({"ip": "2001:db8::1"}, 80, "http://[2001:db8::1]", id="IPv6"),
        pytest.param(
            {"hostname": "a.elb.example.com"}, 80, "http://a.elb.example.com", id="name"
        ),
    ],
)
async def test_the_address_of_a_load_balancer_is_the_url(
    world: World, entry: dict[str, str], port: int, url: str
) -> None:
    async with running_operator(world) as running, handing_out(world, entry):
        await start(world, service={"type": "LoadBalancer", "port": port})

        await wait_url(world, f"{url}/mcp")
        await world.wait_condition("Ready", "True", "Available")
        await running.settle()
        running.requests.forget()
        await running.settle()

        service = await world.get(SERVICE, "team-data")
        assert service["metadata"]["annotations"][MARK] == "mcp"
        assert service["metadata"]["finalizers"] == [CLEANUP]
        assert running.requests.writes == []


async def test_a_load_balancer_comes_and_goes_with_the_type_of_the_service(
    world: World,
) -> None:
    addresses = ({"ip": "192.0.2.10"}, {"ip": "192.0.2.11"})
    async with running_operator(world), handing_out(world, *addresses):
        await start(world, service={"type": "LoadBalancer"})
        await wait_url(world, "http://192.0.2.10:8000/mcp")

        await world.apply_hub(service={"type": "ClusterIP"})
        await wait_url(world, INSIDE.format(namespace=world.namespace))
        await wait_until(lambda: is_unmarked(world))

        await world.apply_hub(service={"type": "LoadBalancer"})
        await wait_url(world, "http://192.0.2.11:8000/mcp")


async def is_unmarked(world: World) -> bool:
    metadata = (await world.get(SERVICE, "team-data"))["metadata"]
    return not metadata.get("finalizers") and MARK not in metadata.get(
        "annotations", {}
    )
