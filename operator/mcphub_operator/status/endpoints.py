"""Where clients reach a hub; said only while it is Ready.

A NodePort answers on every node, so the choice among nodes is free: the one that
stands in the status stays while the node exists. A flapping node would otherwise
rewrite the status of every hub.
"""

from collections.abc import Collection, Mapping
from typing import Any
from urllib.parse import urlsplit

from mcphub_operator import names
from mcphub_operator.observed import Node, Observed
from mcphub_operator.resources.manifest import ChildId
from mcphub_operator.spec.access import ServiceType
from mcphub_operator.spec.hub import Hub
from mcphub_operator.status.routes import is_reached

PORTS = {"http": 80, "https": 443}
IPV4, IPV6 = "IPv4", "IPv6"


def build_endpoints(observed: Observed) -> dict[str, str] | None:
    """Return the URLs of the transports, or None while there is no address."""
    base = _find_base(observed)
    if base is None:
        return None
    endpoints = {"mcp": base + names.PATH_MCP}
    if observed.hub.spec.transports.sse.enabled:
        endpoints["sse"] = base + names.PATH_SSE
    if observed.hub.spec.transports.web_socket.enabled:
        # ws for http, wss for https
        endpoints["webSocket"] = "ws" + base.removeprefix("http") + names.PATH_MCP
    return endpoints


def _find_base(observed: Observed) -> str | None:
    hub = observed.hub
    if hub.spec.public_url or (hub.public_url and is_reached(observed)):
        return hub.public_url.rstrip("/")
    service = observed.children.get(ChildId("Service", hub.name))
    if service is None:
        return None
    inside = _url(hub, f"{hub.name}.{hub.namespace}.svc", hub.spec.service.port)
    match hub.spec.service.type:
        case ServiceType.CLUSTER_IP:
            return inside
        case ServiceType.NODE_PORT:
            return _find_node_base(observed, service.read()) or inside
        case ServiceType.LOAD_BALANCER:
            return _find_balancer_base(observed, service.read())


def _find_node_base(observed: Observed, service: Mapping[str, Any]) -> str | None:
    spec = service.get("spec", {})
    node_port = (spec.get("ports") or [{}])[0].get("nodePort")
    families = spec.get("ipFamilies") or (IPV4, IPV6)
    host = _choose_address(observed, families)
    return _url(observed.hub, host, node_port) if host and node_port else None


def _choose_address(observed: Observed, families: Collection[str]) -> str | None:
    """Return an address of a node at which a Service of these families answers."""
    reached = {node: _list_addresses(node, families) for node in observed.nodes or ()}
    previous = str((observed.status.get("endpoints") or {}).get("mcp", ""))
    if previous:
        host = urlsplit(previous).hostname
        if any(host in addresses for addresses in reached.values()):
            return host
    ready = [node for node, addresses in reached.items() if node.ready and addresses]
    return reached[min(ready)][0] if ready else None


def _list_addresses(node: Node, families: Collection[str]) -> list[str]:
    return [a for a in node.addresses if (IPV6 if ":" in a else IPV4) in families]


def _find_balancer_base(observed: Observed, service: Mapping[str, Any]) -> str | None:
    status = service.get("status", {}).get("loadBalancer", {})
    for entry in status.get("ingress") or ():
        host = entry.get("hostname") or entry.get("ip")
        if host:
            port = service["spec"]["ports"][0]["port"]
            return _url(observed.hub, host, port)
    return None


def _url(hub: Hub, host: str, port: int) -> str:
    scheme = "http" if hub.spec.tls is None else "https"
    shown = f"[{host}]" if ":" in host else host
    base = f"{scheme}://{shown}"
    return base if port == PORTS[scheme] else f"{base}:{port}"
