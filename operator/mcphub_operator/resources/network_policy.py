"""The NetworkPolicy: who may reach a hub's pods, and what they may reach.

Policies know no DNS names, so egress is held to the ports of the backends, on any
address. Through a NodePort every client has a node's address; `ingressFrom` with pod
selectors does not match those.
"""

from collections.abc import Iterable
from typing import Any
from urllib.parse import urlsplit

from mcphub_operator import names
from mcphub_operator.resources.manifest import Manifest, build_manifest
from mcphub_operator.spec.backends import Backend
from mcphub_operator.spec.hub import Hub
from mcphub_operator.spec.policy import Peer

DNS_PORT = 53
NEO4J_PORT = 7687
QDRANT_PORT = 6333
SCHEME_PORTS = {"http": 80, "https": 443}
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
    """List the ports of the enabled backends, embedding endpoints and the JWKS."""
    ports = {
        port
        for backend in hub.spec.backends
        if backend.enabled
        for port in _backend_ports(backend)
    }
    jwt = hub.spec.auth.jwt
    if jwt is not None and jwt.jwks_uri:
        ports |= set(_url_ports(jwt.jwks_uri))
    return tuple(sorted(ports))


def _backend_ports(backend: Backend) -> Iterable[int]:
    if backend.postgres is not None:
        yield backend.postgres.port
    if backend.qdrant is not None:
        # Without a port in the URL, Qdrant's client takes its own default.
        yield urlsplit(backend.qdrant.url).port or QDRANT_PORT
        if backend.qdrant.embedding.url:
            yield from _url_ports(backend.qdrant.embedding.url)
    if backend.neo4j is not None:
        yield urlsplit(backend.neo4j.uri).port or NEO4J_PORT


def _url_ports(url: str) -> Iterable[int]:
    parts = urlsplit(url)
    port = parts.port or SCHEME_PORTS.get(parts.scheme)
    return (port,) if port else ()


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
