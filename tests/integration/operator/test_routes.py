"""HTTPRoutes and Ingresses of hubs; the tests play the controllers of both."""

from typing import Any

from mcphub_operator import names
from mcphub_operator.client.kinds import (
    CONFIG_MAP,
    DEPLOYMENT,
    HTTP_ROUTE,
    HUB,
    Kind,
)
from mcphub_operator.client.kinds import INGRESS as INGRESS_KIND
from tests.support.observed import INGRESS, ROUTE
from tests.support.running_operator import (
    World,
    make_pods_ready,
    running_operator,
)
from tests.support.waiting import wait_until

URL = "https://mcp.example.com/mcp"
INSIDE = "http://team-data.{namespace}.svc:8000/mcp"
GATEWAY = {
    "group": "gateway.networking.k8s.io",
    "kind": "Gateway",
    "name": "edge",
}
ADDRESS = {"status": {"loadBalancer": {"ingress": [{"ip": "192.0.2.7"}]}}}


async def wait_child(world: World, kind: Kind, *, there: bool = True) -> None:
    async def holds() -> bool:
        return (await world.find(kind, "team-data") is not None) is there

    await wait_until(holds)


async def wait_url(world: World, url: str) -> None:
    async def holds() -> bool:
        status = (await world.get(HUB, "team-data")).get("status") or {}
        return bool((status.get("endpoints") or {}).get("mcp") == url)

    await wait_until(holds)


async def answer(
    world: World,
    accepted: str = "True",
    reason: str = "Accepted",
    controller: str = "example.com/gateway",
) -> None:
    """Play the controller of the Gateway."""
    route = await world.get(HTTP_ROUTE, "team-data")
    common = {
        "observedGeneration": route["metadata"]["generation"],
        "lastTransitionTime": "2026-11-21T08:00:00Z",
        "message": "because",
    }
    conditions = [
        {"type": "Accepted", "status": accepted, "reason": reason, **common},
        {"type": "ResolvedRefs", "status": "True", "reason": "ResolvedRefs", **common},
    ]
    parent = {
        "parentRef": GATEWAY,
        "controllerName": controller,
        "conditions": conditions,
    }
    change = {"status": {"parents": [parent]}}
    await world.patch(HTTP_ROUTE, "team-data", change, "/status")


async def start(world: World, **spec: Any) -> None:
    await world.apply_hub(**spec)
    await wait_child(world, DEPLOYMENT)
    await make_pods_ready(world, "team-data", 1)
    await world.wait_condition("Ready", "True")


class TestARoute:
    async def test_is_the_url_of_the_hub_once_its_gateway_accepts_it(
        self, world: World
    ):
        async with running_operator(world):
            await start(world, route=ROUTE)
            await world.wait_condition("Routed", "Unknown", "NotReported")
            await wait_url(world, INSIDE.format(namespace=world.namespace))

            await answer(world)

            await world.wait_condition("Routed", "True", "Accepted")
            await wait_url(world, URL)
            await world.wait_condition("Ready", "True", "Available")

    async def test_that_is_refused_is_told_while_the_hub_serves(self, world: World):
        async with running_operator(world):
            await start(world, route=ROUTE)

            await answer(world, "False", "NoMatchingListenerHostname")

            ready = await world.wait_condition("Ready", "True", "NotRouted")
            routed = await world.wait_condition("Routed", "False", "NotAccepted")
            assert "NoMatchingListenerHostname: because" in routed["message"]
            assert ready["message"] == routed["message"]
            await wait_url(world, INSIDE.format(namespace=world.namespace))

    async def test_has_no_time_limit_and_its_names_are_allowed(self, world: World):
        hostnames = ["mcp.example.com", "hub.example.com"]
        async with running_operator(world):
            await start(world, route=ROUTE | {"hostnames": hostnames})

            (rule,) = (await world.get(HTTP_ROUTE, "team-data"))["spec"]["rules"]
            config = (await world.get(CONFIG_MAP, "team-data"))["data"]["hub.yaml"]

        assert rule["timeouts"] == {"request": "0s", "backendRequest": "0s"}
        assert "publicURL: https://mcp.example.com\n" in config
        assert "allowedHosts:\n- mcp.example.com\n- hub.example.com\n" in config

    async def test_loses_its_time_limits_where_gke_refuses_them(self, world: World):
        async def has_timeouts() -> bool:
            route = await world.get(HTTP_ROUTE, "team-data")
            return "timeouts" in route["spec"]["rules"][0]

        async def has_none() -> bool:
            return not await has_timeouts()

        gke = "networking.gke.io/gateway"
        async with running_operator(world) as running:
            await start(world, route=ROUTE)
            assert await has_timeouts()

            await answer(world, "False", "UnsupportedValue", gke)
            await wait_until(has_none)

            await answer(world, controller=gke)
            await world.wait_condition("Routed", "True", "Accepted")
            await running.settle()
            assert not await has_timeouts()

    async def test_goes_when_the_hub_no_longer_asks_for_it(self, world: World):
        async with running_operator(world):
            await start(world, route=ROUTE)
            await wait_child(world, HTTP_ROUTE)

            await world.apply_hub()

            await wait_child(world, HTTP_ROUTE, there=False)


class TestAnIngress:
    async def test_with_an_address_is_reached(self, world: World):
        secret = {"tlsSecretRef": {"name": "mcp-tls"}}
        async with running_operator(world):
            await start(world, ingress=INGRESS | secret)
            await world.wait_condition("Routed", "Unknown", "NotReported")

            await world.patch(INGRESS_KIND, "team-data", ADDRESS, "/status")

            routed = await world.wait_condition("Routed", "True", "Accepted")
            assert routed["message"] == "Ingress team-data has the address 192.0.2.7"
            await wait_url(world, URL)

    async def test_of_another_owner_is_taken_over_only_when_offered(self, world: World):
        foreign = {
            "metadata": {"name": "team-data"},
            "spec": {"rules": [{"host": "old.example.com"}]},
        }
        await world.create(INGRESS_KIND, foreign)
        async with running_operator(world):
            await world.apply_hub(ingress=INGRESS)
            await world.wait_condition("Stalled", "True", "Conflict")

            offer = {"metadata": {"annotations": {names.ANNOTATION_ADOPT: "team-data"}}}
            await world.patch(INGRESS_KIND, "team-data", offer)
            await world.apply_hub(ingress=INGRESS, replicas=1)  # asks for a pass

            async def is_adopted() -> bool:
                spec = (await world.get(INGRESS_KIND, "team-data"))["spec"]
                return bool(spec["rules"][0]["host"] == "mcp.example.com")

            await wait_until(is_adopted, timeout_seconds=60)


async def test_an_operator_without_routes_writes_none_and_says_so(world: World):
    async with running_operator(world, routes=False) as running:
        await start(world, route=ROUTE, ingress=INGRESS)

        await world.wait_condition("Routed", "False", "RoutesDisabled")
        await running.settle()
        assert not await world.list(INGRESS_KIND)
        assert not await world.list(HTTP_ROUTE)
        await wait_url(world, INSIDE.format(namespace=world.namespace))
