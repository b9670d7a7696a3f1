"""The Service that clients use, and the one by which replicas find each other."""

from typing import Any

from mcphub_operator import names
from mcphub_operator.resources.manifest import Manifest, build_manifest, drop_empty
from mcphub_operator.spec.access import (
    IPFamilyPolicy,
    ServiceSpec,
    ServiceType,
    SessionAffinity,
)
from mcphub_operator.spec.hub import Hub


def build_client_service(hub: Hub, version: str) -> Manifest:
    """Return the Service that clients connect to."""
    service = hub.spec.service
    manifest = build_manifest(
        "v1", "Service", hub, hub.name, version, service.annotations
    )
    spec = {
        "type": str(service.type),
        "selector": names.selector_labels(hub.name),
        "ports": [_port(service, "https" if hub.spec.tls else "")],
        **_families(service),
        **_affinity(service),
        **_outside(service),
    }
    return {**manifest, "spec": spec}


def build_pods_service(hub: Hub, version: str) -> Manifest:
    """Return the headless Service; its DNS lists starting and draining pods too."""
    manifest = build_manifest(
        "v1", "Service", hub, names.pods_service(hub.name), version
    )
    spec = {
        "type": "ClusterIP",
        "clusterIP": "None",
        # whichever family comes first for Services and for pods, which may differ
        "ipFamilyPolicy": str(IPFamilyPolicy.PREFER_DUAL_STACK),
        "publishNotReadyAddresses": True,
        "selector": names.selector_labels(hub.name),
        "ports": [
            {
                "name": names.PORT_MCP,
                "port": names.PORT_MCP_NUMBER,
                "targetPort": names.PORT_MCP,
                "protocol": "TCP",
            }
        ],
    }
    return {**manifest, "spec": spec}


def _port(service: ServiceSpec, protocol: str) -> dict[str, Any]:
    return drop_empty(
        {
            "name": service.port_name,
            "port": service.port,
            "targetPort": names.PORT_MCP,
            "protocol": "TCP",
            "appProtocol": protocol,
            "nodePort": service.node_port,
        }
    )


def _families(service: ServiceSpec) -> dict[str, Any]:
    policy = service.ip_family_policy
    return {} if policy is None else {"ipFamilyPolicy": str(policy)}


def _affinity(service: ServiceSpec) -> dict[str, Any]:
    chosen: dict[str, Any] = {"sessionAffinity": str(service.session_affinity)}
    if service.session_affinity is SessionAffinity.CLIENT_IP:
        seconds = service.session_affinity_timeout_seconds
        chosen["sessionAffinityConfig"] = {"clientIP": {"timeoutSeconds": seconds}}
    return chosen


def _outside(service: ServiceSpec) -> dict[str, Any]:
    if service.type is ServiceType.CLUSTER_IP:
        return {}
    ranges = list(service.load_balancer_source_ranges)
    return drop_empty(
        {
            "externalTrafficPolicy": str(service.external_traffic_policy),
            "loadBalancerSourceRanges": ranges,
        }
    )
