"""Which URL a status tells, and when it tells none."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from mcphub_operator.cache.children import build_cached
from mcphub_operator.observed import (
    Node,
    Observed,
)
from mcphub_operator.resources.manifest import ChildId
from tests.support.observed import (
    hub,
    observe,
)
from tests.support.statuses import rolled, status_of

NODES = (
    Node("a", ready=False, addresses=("10.0.0.1",)),
    Node("b", ready=True, addresses=("10.0.0.2",)),
    Node("c", ready=True, addresses=("203.0.113.3", "10.0.0.3")),
)
DUAL_STACK = (
    Node("a", ready=True, addresses=("10.0.0.1", "fd00::1")),
    Node("b", ready=True, addresses=("10.0.0.2", "fd00::2")),
)
NODE_PORT = {"type": "NodePort", "nodePort": 30800}


def url(observed: Observed) -> str | None:
    return status_of(rolled(observed, ready=1)).get("endpoints", {}).get("mcp")


def with_service(observed: Observed, change: Callable[[Any], object]) -> Observed:
    """What is observed once the Service has been changed."""
    observed = rolled(observed, ready=1)
    service = ChildId("Service", "team-data")
    item = observed.children[service].read()
    change(item)
    return replace(
        observed, children={**observed.children, service: build_cached(item)}
    )


class TestTheURL:
    @pytest.mark.parametrize(
        ("spec", "nodes", "expected"),
        [
            pytest.param(
                {},
                NODES,
                "http://team-data.ai.svc:8000/mcp",
                id="inside the cluster it is the Service's name",
            ),
            pytest.param(
                {"service": {"port": 80}},
                NODES,
                "http://team-data.ai.svc/mcp",
                id="port 80 goes without saying",
            ),
            pytest.param(
                {"service": NODE_PORT},
                NODES,
                "http://10.0.0.2:30800/mcp",
                id="a NodePort is on a ready node",
            ),
            pytest.param(
                {"service": NODE_PORT},
                NODES[2:],
                "http://203.0.113.3:30800/mcp",
                id="a node's external address comes first",
            ),
            pytest.param(
                {"service": NODE_PORT},
                None,
                "http://team-data.ai.svc:8000/mcp",
                id="without a right on nodes it is the Service's name",
            ),
            pytest.param(
                {"publicURL": "https://mcp.example.com/"},
                NODES,
                "https://mcp.example.com/mcp",
                id="a public URL is taken as it is",
            ),
        ],
    )
    def test_is_where_clients_reach_the_hub(self, spec, nodes, expected):
        assert url(observe(hub(**spec), nodes=nodes)) == expected

    @pytest.mark.parametrize(
        ("families", "expected"),
        [
            pytest.param(["IPv4"], "http://10.0.0.1:30800/mcp", id="IPv4"),
            pytest.param(["IPv6"], "http://[fd00::1]:30800/mcp", id="IPv6"),
            pytest.param(["IPv6", "IPv4"], "http://10.0.0.1:30800/mcp", id="both"),
            pytest.param([], "http://10.0.0.1:30800/mcp", id="not yet known"),
        ],
    )
    def test_has_an_address_of_a_family_that_the_service_has(self, families, expected):
        observed = with_service(
            observe(hub(service=NODE_PORT), nodes=DUAL_STACK),
            lambda item: item["spec"].update(ipFamilies=families),
        )

        assert status_of(observed)["endpoints"]["mcp"] == expected

    def test_leaves_an_address_of_a_family_that_the_service_has_lost(self):
        before = {"endpoints": {"mcp": "http://[fd00::2]:30800/mcp"}}
        observed = observe(hub(service=NODE_PORT), nodes=DUAL_STACK, status=before)
        one = with_service(
            observed, lambda item: item["spec"].update(ipFamilies=["IPv4"])
        )

        assert url(observed) == "http://[fd00::2]:30800/mcp"
        assert status_of(one)["endpoints"]["mcp"] == "http://10.0.0.1:30800/mcp"

    def test_of_a_load_balancer_with_an_ipv6_address_has_brackets(self):
        ingress = [{"ip": "2001:db8::9"}]
        observed = with_service(
            observe(hub(service={"type": "LoadBalancer"})),
            lambda item: item.update(status={"loadBalancer": {"ingress": ingress}}),
        )

        mcp = status_of(observed)["endpoints"]["mcp"]
        assert mcp == "http://[2001:db8::9]:8000/mcp"

    def test_of_a_load_balancer_waits_for_its_address(self):
        observed = rolled(observe(hub(service={"type": "LoadBalancer"})), ready=1)
        service = ChildId("Service", "team-data")
        item = observed.children[service].read()
        item["status"] = {"loadBalancer": {"ingress": [{"ip": "203.0.113.9"}]}}
        balanced = replace(
            observed, children={**observed.children, service: build_cached(item)}
        )

        assert "endpoints" not in status_of(observed)
        mcp = status_of(balanced)["endpoints"]["mcp"]
        assert mcp == "http://203.0.113.9:8000/mcp"

    def test_stays_on_its_node_while_the_node_exists(self):
        before = {"endpoints": {"mcp": "http://10.0.0.1:30800/mcp"}}
        observed = observe(hub(service=NODE_PORT), nodes=NODES, status=before)

        assert url(observed) == "http://10.0.0.1:30800/mcp"

    def test_leaves_a_node_that_is_gone(self):
        before = {"endpoints": {"mcp": "http://10.9.9.9:30800/mcp"}}
        observed = observe(hub(service=NODE_PORT), nodes=NODES, status=before)

        assert url(observed) == "http://10.0.0.2:30800/mcp"

    def test_of_sse_is_there_only_while_the_hub_offers_it(self):
        off = hub(transports={"sse": {"enabled": False}})

        endpoints = status_of(rolled(observe(off), ready=1))["endpoints"]

        assert list(endpoints) == ["mcp"]

    def test_of_websockets_is_there_only_while_the_hub_offers_them(self):
        on = {"webSocket": {"enabled": True}}
        plain = hub(transports=on)
        secure = hub(transports=on, publicURL="https://mcp.example.com/one")

        found = [
            status_of(rolled(observe(each), ready=1))["endpoints"]
            for each in (plain, secure, hub())
        ]

        assert found[0]["webSocket"] == "ws://team-data.ai.svc:8000/mcp"
        assert found[1]["webSocket"] == "wss://mcp.example.com/one/mcp"
        assert "webSocket" not in found[2]
