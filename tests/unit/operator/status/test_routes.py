"""What Gateways and Ingress controllers say becomes one condition and a URL."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from mcphub_operator.observed import Observed
from mcphub_operator.resources.manifest import ChildId
from mcphub_operator.status.endpoints import build_endpoints
from mcphub_operator.status.routes import find_routing
from tests.support.observed import INGRESS, ROUTE, find_child, hub, live, observe

GATEWAY = {
    "group": "gateway.networking.k8s.io",
    "kind": "Gateway",
    "name": "edge",
}
OUTSIDE = "https://mcp.example.com/mcp"
INSIDE = "http://team-data.ai.svc:8000/mcp"
TWO = {"parentRefs": [{"name": "edge"}, {"name": "inner", "namespace": "infra"}]}


def told(
    parent: Mapping[str, Any] = GATEWAY,
    *,
    accepted: str = "True",
    resolved: str | None = "True",
    generation: int = 3,
) -> dict[str, Any]:
    """What a controller writes about one Gateway."""
    conditions = [
        {"type": kind, "status": status, "reason": "Why", "message": "because"}
        | {"observedGeneration": generation}
        for kind, status in (("Accepted", accepted), ("ResolvedRefs", resolved))
        if status
    ]
    return {"parentRef": dict(parent), "conditions": conditions}


def routed(*parents: Mapping[str, Any], **route: Any) -> Observed:
    observed = observe(hub(route=ROUTE | route))
    manifest = find_child(observed, "HTTPRoute")
    manifest["metadata"]["generation"] = 3
    made = live(manifest, status={"parents": list(parents)})
    service = live(find_child(observed, "Service"))
    children = {
        ChildId("HTTPRoute", "team-data"): made,
        ChildId("Service", "team-data"): service,
    }
    return replace(observed, children=children)


INNER = GATEWAY | {"name": "inner", "namespace": "infra"}


@pytest.mark.parametrize(
    ("observed", "state", "url"),
    [
        pytest.param(routed(told()), ("True", "Accepted"), OUTSIDE, id="accepted"),
        pytest.param(
            routed(told(GATEWAY | {"namespace": "ai"})),
            ("True", "Accepted"),
            OUTSIDE,
            id="a controller writes the namespace out",
        ),
        pytest.param(
            routed(), ("Unknown", "NotReported"), INSIDE, id="no controller answers"
        ),
        pytest.param(
            routed(told(generation=2)),
            ("Unknown", "NotReported"),
            INSIDE,
            id="told of the route before its change",
        ),
        pytest.param(
            routed(told(resolved=None)),
            ("Unknown", "NotReported"),
            INSIDE,
            id="half an answer",
        ),
        pytest.param(
            routed(told(GATEWAY | {"name": "other"})),
            ("Unknown", "NotReported"),
            INSIDE,
            id="told of another Gateway",
        ),
        pytest.param(
            routed(told(GATEWAY | {"sectionName": "http"})),
            ("Unknown", "NotReported"),
            INSIDE,
            id="told of one listener where all are asked for",
        ),
        pytest.param(
            routed(told(accepted="False")),
            ("False", "NotAccepted"),
            INSIDE,
            id="refused",
        ),
        pytest.param(
            routed(told(resolved="False")),
            ("False", "NotAccepted"),
            INSIDE,
            id="the Service is not found",
        ),
        pytest.param(
            routed(told(), told(INNER, accepted="False"), **TWO),
            ("False", "NotAccepted"),
            OUTSIDE,
            id="one of two Gateways refuses",
        ),
        pytest.param(
            replace(routed(told()), has_gateway_api=False),
            ("False", "GatewayAPIMissing"),
            INSIDE,
            id="no Gateway API",
        ),
    ],
)
def test_a_route_is_what_its_gateways_say(
    observed: Observed, state: tuple[str, str], url: str
):
    routing = find_routing(observed)

    assert routing is not None
    assert (routing.status, routing.reason) == state
    assert build_endpoints(observed) == {
        "mcp": url,
        "sse": url.replace("/mcp", "/sse").replace("sse.example", "mcp.example"),
    }


@pytest.mark.parametrize(
    ("controller", "has_timeouts"),
    [
        pytest.param("networking.gke.io/gateway", False, id="GKE refuses them"),
        pytest.param("istio.io/gateway-controller", True, id="others take them"),
        pytest.param("example.com/networking.gke.io/", True, id="another's name"),
    ],
)
def test_the_controller_decides_whether_a_route_has_timeouts(
    controller: str, *, has_timeouts: bool
):
    answered = told(accepted="False") | {"controllerName": controller}

    route = find_child(routed(answered), "HTTPRoute")

    assert ("timeouts" in route["spec"]["rules"][0]) is has_timeouts


def test_a_refusal_names_the_gateway_and_quotes_its_controller():
    observed = routed(told(), told(INNER, accepted="False"), **TWO)

    routing = find_routing(observed)

    assert routing is not None
    assert routing.message == (
        "Gateway infra/inner does not serve the route (Why: because);"
        " Gateway ai/edge serves the route"
    )


@pytest.mark.parametrize(
    ("ingress", "url"),
    [
        pytest.param(INGRESS, "http://mcp.example.com/mcp", id="without TLS"),
        pytest.param(INGRESS | {"tlsSecretRef": {"name": "t"}}, OUTSIDE, id="with TLS"),
    ],
)
def test_the_url_of_an_ingress_is_shown_whether_or_not_it_has_an_address(
    ingress: dict[str, Any], url: str
):
    observed = observe(hub(ingress=ingress))
    manifest = find_child(observed, "Ingress")
    balancer = {"loadBalancer": {"ingress": [{"hostname": "lb.example.com"}]}}

    for status, reason in (({}, "NotReported"), (balancer, "Accepted")):
        made = {ChildId("Ingress", "team-data"): live(manifest, status=status)}
        seen = replace(observed, children=made)
        routing = find_routing(seen)
        assert routing is not None
        assert routing.reason == reason
        assert (build_endpoints(seen) or {})["mcp"] == url


def test_a_hub_that_asks_for_nothing_has_no_such_condition():
    assert find_routing(observe()) is None
