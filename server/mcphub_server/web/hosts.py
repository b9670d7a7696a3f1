"""Which Host and Origin headers are accepted: the guard against DNS rebinding.

The attack needs a name: a page's own domain, pointed at this server's address. So an
IP literal is always accepted (a NodePort answers on every node's), and of names those
that no attacker can register: loopback, single labels (nodes, services, containers),
`.internal`, this hub's service; and those that the hub's administrator lists.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import urlsplit

from mcphub_server.web.forwarded import parse_address

DEFAULT_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True)
class HostPolicy:
    """The names that this hub answers to.

    Attributes:
        names: Exact host names, lower case, without ports.
        origins: Origins of browser clients besides the hub's own and loopback.
    """

    names: frozenset[str]
    origins: frozenset[str] = frozenset()


def build_host_policy(
    hub: str, namespace: str, public_url: str, allowed_hosts: Iterable[str]
) -> HostPolicy:
    """Collect the names from identity and configuration."""
    names = {"localhost"}
    if hub and namespace:
        for service in (hub, f"{hub}-pods"):
            base = f"{service}.{namespace}"
            names |= {base, f"{base}.svc", f"{base}.svc.cluster.local"}
    listed = {split_host(host)[0] for host in allowed_hosts}
    origins = {
        f"{scheme}://{host.lower()}"
        for host in allowed_hosts
        for scheme in DEFAULT_PORTS
    }
    if public_url:
        listed.add((urlsplit(public_url).hostname or "").lower())
        origins.add(find_origin_of(public_url))
    return HostPolicy(frozenset(names | listed), frozenset(origins))


def is_host_allowed(header: str, policy: HostPolicy) -> bool:
    """Return whether a Host header names this server."""
    name = split_host(header)[0]
    if not name:
        return False
    if parse_address(name) is not None:
        return True
    return (
        "." not in name
        or name in policy.names
        or name.endswith((".localhost", ".internal"))
    )


def is_origin_allowed(origin: str, scheme: str, host: str, policy: HostPolicy) -> bool:
    """Return whether a browser page of this origin may talk to the server.

    Allowed are the server's own origin, pages on the user's own machine (such as the
    MCP inspector), and what the administrator lists.
    """
    normal = find_origin_of(origin)
    if not normal:
        return False
    if normal == find_origin_of(f"{scheme}://{host}") or normal in policy.origins:
        return True
    name = urlsplit(normal).hostname or ""
    address = parse_address(name)
    return (
        name == "localhost"
        or name.endswith(".localhost")
        or (address is not None and address.is_loopback)
    )


def split_host(header: str) -> tuple[str, str]:
    """Return name and port of a Host header, lower case; brackets are dropped."""
    text = header.strip().lower()
    if text.startswith("["):
        name, _, rest = text[1:].partition("]")
        return name, rest.removeprefix(":")
    name, _, port = text.rpartition(":") if text.count(":") == 1 else (text, "", "")
    return name.rstrip("."), port


def find_origin_of(url: str) -> str:
    """Return scheme, host and port of a URL, without the scheme's own port."""
    try:
        parts = urlsplit(url.strip().lower())
        port = parts.port
    except ValueError:
        return ""
    if parts.scheme not in DEFAULT_PORTS or not parts.hostname:
        return ""
    name = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    if port is None or port == DEFAULT_PORTS[parts.scheme]:
        return f"{parts.scheme}://{name}"
    return f"{parts.scheme}://{name}:{port}"
