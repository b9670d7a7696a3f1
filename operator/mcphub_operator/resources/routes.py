"""The HTTPRoute and the Ingress by which clients from outside reach a hub.

Streams of a hub last for as long as a client likes, so the route turns the time limits
of a Gateway off. Every default of the API is written: the operator owns the whole
route, and what it does not write counts as an addition.
"""

from typing import Any

from mcphub_operator.resources.manifest import Manifest, build_manifest, drop_empty
from mcphub_operator.spec.hub import Hub
from mcphub_operator.spec.routing import IngressSpec, ParentRef, RouteSpec

GATEWAY_GROUP = "gateway.networking.k8s.io"
NO_TIMEOUT = "0s"


def build_route(hub: Hub, route: RouteSpec, version: str) -> Manifest:
    """Return the HTTPRoute, for the Gateway API from v1.2 on."""
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
                "timeouts": {"request": NO_TIMEOUT, "backendRequest": NO_TIMEOUT},
            }
        ],
    }
    return {**manifest, "spec": spec}


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
