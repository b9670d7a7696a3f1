"""Which URL a status tells, and when it tells none."""

from dataclasses import replace

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
    Node("a", ready=False, internal_address="10.0.0.1"),
    Node("b", ready=True, internal_address="10.0.0.2"),
    Node("c", ready=True, internal_address="10.0.0.3", external_address="203.0.113.3"),
)
NODE_PORT = {"type": "NodePort", "nodePort": 30800}


def url(observed: Observed) -> str | None:
    return status_of(rolled(observed, ready=1)).get("endpoints", {}).get("mcp")


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
