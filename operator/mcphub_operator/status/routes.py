"""Whether a hub is reached from outside: what Gateways and Ingress controllers say.

An HTTPRoute counts only by what Gateways' controllers wrote about its present spec.
Ingress controllers report nothing but an address, and some not even that: without one
nothing is known.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from mcphub_operator.observed import CachedObject, Observed
from mcphub_operator.resources.manifest import ChildId
from mcphub_operator.resources.routes import build_parent
from mcphub_operator.spec.routing import ParentRef
from mcphub_operator.spec.status_schema import ConditionStatus
from mcphub_operator.status.condition_model import Reason

_WORST_FIRST = (ConditionStatus.FALSE, ConditionStatus.UNKNOWN, ConditionStatus.TRUE)
_ASKED = {"Accepted", "ResolvedRefs"}


@dataclass(frozen=True, slots=True)
class Routing:
    """The state of one way into the cluster, in a sentence."""

    status: ConditionStatus
    reason: Reason
    message: str


def find_routing(observed: Observed) -> Routing | None:
    """Return the state of the ways that a hub asks for; None if it asks for none."""
    ways = sorted(_find_ways(observed), key=lambda w: _WORST_FIRST.index(w.status))
    if not ways:
        return None
    message = "; ".join(way.message for way in ways)
    return Routing(ways[0].status, ways[0].reason, message)


def is_reached(observed: Observed) -> bool:
    """Tell whether the URL that the route or the Ingress gives can be shown."""
    if observed.hub.spec.route is not None:
        ways = _find_parents(observed)
        return any(way.status is ConditionStatus.TRUE for way in ways)
    routing = find_routing(observed)
    return routing is not None and routing.status is not ConditionStatus.FALSE


def _find_ways(observed: Observed) -> Iterator[Routing]:
    spec = observed.hub.spec
    if spec.route is None and spec.ingress is None:
        return
    if not observed.platform.routes:
        yield Routing(
            ConditionStatus.FALSE,
            Reason.ROUTES_DISABLED,
            "this operator writes no HTTPRoutes and Ingresses (MCPHUB_ROUTES is false)",
        )
        return
    if spec.route is not None:
        yield from _find_parents(observed)
    if spec.ingress is not None:
        yield _find_ingress(observed)


def _find_parents(observed: Observed) -> Iterator[Routing]:
    route = observed.hub.spec.route
    if route is None or not observed.platform.routes:
        return
    if not observed.has_gateway_api:
        yield Routing(
            ConditionStatus.FALSE,
            Reason.GATEWAY_API_MISSING,
            "the cluster does not serve HTTPRoutes of gateway.networking.k8s.io/v1,"
            " or not to the operator; install the Gateway API, or use spec.ingress",
        )
        return
    live = observed.children.get(ChildId("HTTPRoute", observed.hub.name))
    for parent in route.parent_refs:
        yield _judge_parent(parent, observed.hub.namespace, live)


def _judge_parent(
    parent: ParentRef, namespace: str, live: CachedObject | None
) -> Routing:
    where = _describe(parent, namespace)
    conditions = list(_find_conditions(parent, namespace, live))
    for condition in conditions:
        if condition.get("status") != "True":
            said = f"{condition.get('reason')}: {condition.get('message')}"
            message = f"{where} does not serve the route ({said})"
            return Routing(ConditionStatus.FALSE, Reason.NOT_ACCEPTED, message)
    if {condition["type"] for condition in conditions} != _ASKED:
        message = f"no controller has answered for {where}; check spec.route.parentRefs"
        return Routing(ConditionStatus.UNKNOWN, Reason.NOT_REPORTED, message)
    return Routing(ConditionStatus.TRUE, Reason.ACCEPTED, f"{where} serves the route")


def _find_conditions(
    parent: ParentRef, namespace: str, live: CachedObject | None
) -> Iterator[Mapping[str, Any]]:
    """Yield what a Gateway's controller says of the route as it is now."""
    item = live.read() if live is not None else {}
    generation = (item.get("metadata") or {}).get("generation", 0)
    for told in (item.get("status") or {}).get("parents") or ():
        if not _is_same(told.get("parentRef") or {}, parent, namespace):
            continue
        for condition in told.get("conditions") or ():
            is_current = condition.get("observedGeneration", 0) >= generation
            if condition.get("type") in _ASKED and is_current:
                yield condition


def _is_same(told: Mapping[str, Any], parent: ParentRef, namespace: str) -> bool:
    asked = build_parent(parent)
    return told.get("namespace", namespace) == asked.get(
        "namespace", namespace
    ) and all(
        told.get(key) == asked.get(key) for key in ("name", "sectionName", "port")
    )


def _describe(parent: ParentRef, namespace: str) -> str:
    listener = f" listener {parent.section_name}" if parent.section_name else ""
    return f"Gateway {parent.namespace or namespace}/{parent.name}{listener}"


def _find_ingress(observed: Observed) -> Routing:
    name = observed.hub.name
    live = observed.children.get(ChildId("Ingress", name))
    status = (live.read().get("status") or {}) if live is not None else {}
    for entry in (status.get("loadBalancer") or {}).get("ingress") or ():
        if address := entry.get("hostname") or entry.get("ip"):
            message = f"Ingress {name} has the address {address}"
            return Routing(ConditionStatus.TRUE, Reason.ACCEPTED, message)
    message = (
        f"Ingress {name} has no address; either no controller serves its class, or its"
        " controller publishes none"
    )
    return Routing(ConditionStatus.UNKNOWN, Reason.NOT_REPORTED, message)
