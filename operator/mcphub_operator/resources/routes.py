"""The HTTPRoute and the Ingress by which clients from outside reach a hub.

Streams of a hub last for as long as a client likes, so the route turns the time limits
of a Gateway off, unless its controller refuses routes that have some. Every default of
the API is written: the operator owns the whole route, and what it does not write counts
as an addition.
"""

from collections.abc import Mapping
from typing import Any

from mcphub_operator.resources.manifest import Manifest, build_manifest, drop_empty
from mcphub_operator.spec.hub import Hub
from mcphub_operator.spec.routing import IngressSpec, ParentRef, RouteSpec

GATEWAY_GROUP = "gateway.networking.k8s.io"
NO_TIMEOUT = "0s"
NO_TIMEOUTS = {"timeouts": {"request": NO_TIMEOUT, "backendRequest": NO_TIMEOUT}}

WITHOUT_TIMEOUTS = ("networking.gke.io/",)
"""How the names of controllers begin that answer `UnsupportedValue` to `timeouts`:
GKE's (https://github.com/kserve/kserve/issues/5311)."""


def build_route(
    hub: Hub, route: RouteSpec, version: str, live: Mapping[str, Any] | None = None
) -> Manifest:
    """Return the HTTPRoute, for the Gateway API from v1.2 on.

    The controllers that serve the live route decide whether it has timeouts.
    """
    manifest = build_manifest(
        f"{GATEWAY_GROUP}/v1", "HTTPRoute", hub, hub.name, version
    )
    spec = {
        "parentRefs": [build_parent(parent) for parent in route.parent_refs],
        "hostnames": list(route.hostnames),
        "rules": [
            {
                "matches": [{"path": {"type": "PathPrefix", "value": "/"}}],
                "backendRefs": [
                    {
                        "group": "",
                        "kind": "Service",
                        "name": hub.name,
                        "port": hub.spec.service.port,
                        "weight": 1,
                    }
                ],
                **(NO_TIMEOUTS if takes_timeouts(live or {}) else {}),
            }
        ],
    }
    return {**manifest, "spec": spec}


def takes_timeouts(live: Mapping[str, Any]) -> bool:
    """Tell whether no controller that answered is known to refuse timeouts."""
    parents = (live.get("status") or {}).get("parents") or ()
    controllers = [str(told.get("controllerName", "")) for told in parents]
    return not any(name.startswith(WITHOUT_TIMEOUTS) for name in controllers)


def build_parent(parent: ParentRef) -> dict[str, Any]:
    """Return a Gateway as an HTTPRoute refers to it."""
    return drop_empty(
        {
            "group": GATEWAY_GROUP,
            "kind": "Gateway",
            "namespace": parent.namespace,
            "name": parent.name,
            "sectionName": parent.section_name,
            "port": parent.port,
        }
    )


def build_ingress(hub: Hub, ingress: IngressSpec, version: str) -> Manifest:
    """Return the Ingress; without a class, the API server chooses the default one."""
    manifest = build_manifest(
        "networking.k8s.io/v1", "Ingress", hub, hub.name, version, ingress.annotations
    )
    service = {"name": hub.name, "port": {"number": hub.spec.service.port}}
    path = {"path": "/", "pathType": "Prefix", "backend": {"service": service}}
    secret = ingress.tls_secret_ref
    spec = drop_empty(
        {
            "ingressClassName": ingress.class_name,
            "rules": [{"host": ingress.host, "http": {"paths": [path]}}],
            "tls": [{"hosts": [ingress.host], "secretName": secret.name}]
            if secret
            else [],
        }
    )
    return {**manifest, "spec": spec}
