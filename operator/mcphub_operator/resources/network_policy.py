"""The NetworkPolicy: who may reach a hub's pods, and what they may reach.

Policies know no DNS names, so egress is held to the ports of the backends, on any
address. Through a NodePort every client has a node's address; `ingressFrom` with pod
selectors does not match those.
"""

from collections.abc import Iterable
from typing import Any

from mcphub_operator import names
from mcphub_operator.resources.manifest import Manifest, build_manifest
from mcphub_operator.spec.backends.kind import parse_endpoint
from mcphub_operator.spec.hub import Hub
from mcphub_operator.spec.policy import Peer

DNS_PORT = 53
NAMESPACE_LABEL = "kubernetes.io/metadata.name"


def build_network_policy(hub: Hub, version: str, operator_namespace: str) -> Manifest:
    """Return the policy; an empty `operator_namespace` means any namespace."""
    manifest = build_manifest(
        "networking.k8s.io/v1", "NetworkPolicy", hub, hub.name, version
    )
    spec = {
        "podSelector": {"matchLabels": names.selector_labels(hub.name)},
        "policyTypes": ["Ingress", "Egress"],
        "ingress": _ingress(hub, operator_namespace),
        "egress": _egress(hub),
    }
    return {**manifest, "spec": spec}


def _ingress(hub: Hub, operator_namespace: str) -> list[dict[str, Any]]:
    policy = hub.spec.network_policy
    clients: dict[str, Any] = {"ports": _tcp(names.PORT_MCP_NUMBER)}
    if policy.ingress_from:
        clients["from"] = [*_peers(policy.ingress_from), _replicas(hub)]
    watchers = [_operator(operator_namespace), *_peers(policy.monitoring_from)]
    management = {"ports": _tcp(names.PORT_MANAGEMENT_NUMBER), "from": watchers}
    return [clients, management]


def _egress(hub: Hub) -> list[dict[str, Any]]:
    dns = [{"port": DNS_PORT, "protocol": p} for p in ("UDP", "TCP")]
    rules: list[dict[str, Any]] = [
        {"ports": dns},
        {"to": [_replicas(hub)], "ports": _tcp(names.PORT_MCP_NUMBER)},
    ]
    ports = find_outside_ports(hub)
    if ports:
        rules.append({"ports": _tcp(*ports)})
    if hub.spec.network_policy.egress_to:
        rules.append({"to": _peers(hub.spec.network_policy.egress_to)})
    return rules


def find_outside_ports(hub: Hub) -> tuple[int, ...]:
    """List the ports of the enabled backends, of the JWKS and of the collector."""
    endpoints = [
        endpoint
        for backend in hub.spec.backends
        if backend.enabled
        for endpoint in backend.options.endpoints()
    ]
    jwt = hub.spec.auth.jwt
    if jwt is not None and jwt.jwks_uri:
        endpoints.append(parse_endpoint(jwt.jwks_uri))
    collector = hub.spec.observability.otlp.endpoint
    if collector:
        endpoints.append(parse_endpoint(collector))
    ports = {endpoint.port for endpoint in endpoints}
    return tuple(sorted(port for port in ports if port))


def _tcp(*ports: int) -> list[dict[str, Any]]:
    return [{"port": port, "protocol": "TCP"} for port in ports]


def _replicas(hub: Hub) -> dict[str, Any]:
    return {"podSelector": {"matchLabels": names.selector_labels(hub.name)}}


def _operator(namespace: str) -> dict[str, Any]:
    labels = {names.LABEL_NAME: names.OPERATOR_NAME}
    where = {"matchLabels": {NAMESPACE_LABEL: namespace}} if namespace else {}
    return {"namespaceSelector": where, "podSelector": {"matchLabels": labels}}


def _peers(peers: Iterable[Peer]) -> list[dict[str, Any]]:
    return [
        peer.model_dump(mode="json", by_alias=True, exclude_none=True) for peer in peers
    ]
