"""Hubs that exchange their node ports: each waits for the port that another holds.

The API server gives a port to one Service at a time, so that no hub of such a circle
could ever go first. A hub of a circle gives its port up; it holds it against its spec
anyhow, and a hub that asks for it is about to take it. A port that no circle leads back
to is kept: the one that is asked for may never become free.
"""

from collections.abc import Mapping
from typing import Any

from mcphub_operator.observed import HubKey
from mcphub_operator.repairs import Operation


def is_exchange(
    hub: HubKey, held: Mapping[HubKey, int], wishes: Mapping[HubKey, int]
) -> bool:
    """Tell whether a hub waits, over other hubs, for the port that it holds."""
    if hub not in held or wishes.get(hub) in (None, held[hub]):
        return False
    holders = {port: holder for holder, port in held.items()}
    passed: set[HubKey] = set()
    at = holders.get(wishes[hub])
    while at is not None and at not in passed:
        if at == hub:
            return True
        passed.add(at)
        at = holders.get(wishes[at]) if at in wishes else None
    return False


def find_held_port(service: Mapping[str, Any]) -> int | None:
    """Return the node port of a Service of type NodePort."""
    spec = service.get("spec") or {}
    ports = spec.get("ports") or [{}]
    return ports[0].get("nodePort") if spec.get("type") == "NodePort" else None


def find_wished_port(spec: Any) -> int | None:
    """Return the node port that a hub's spec asks for, as the API server has it."""
    service = spec.get("service") if isinstance(spec, Mapping) else None
    is_wish = isinstance(service, Mapping) and service.get("type") == "NodePort"
    return service.get("nodePort") if service and is_wish else None


def build_release() -> tuple[Operation, ...]:
    """Return what makes the API server take a node port back."""
    return (
        {"op": "replace", "path": "/spec/type", "value": "ClusterIP"},
        {"op": "remove", "path": "/spec/ports/0/nodePort"},
    )
