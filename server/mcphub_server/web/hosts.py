"""Which Host and Origin headers are accepted: the guard against DNS rebinding.

The attack needs a name: a page's own domain, pointed at this server's address. So an
IP literal is always accepted (a NodePort answers on every node's), and of names those
that no attacker can register: loopback, single labels (nodes, services, containers),
`.internal`, this hub's service; and those that the hub's administrator lists.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import urlsplit

from mcphub_server.web.forwarded import parse_address

HOST = re.compile(
    r"(?:\[(?P<ipv6>[0-9a-f:.]{2,45})\]|(?P<name>[a-z0-9._-]{1,253}))(?::\d{0,5})?"
)
"""What a browser or a client sends as Host (RFC 9110, section 7.2), in lower case."""

ORIGIN = re.compile(rf"https?://{HOST.pattern}")
"""What a browser sends as Origin (RFC 6454, section 6.2): no user, no path."""

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
    listed = {find_host_name(host) for host in allowed_hosts} - {""}
    origins = {
        f"{scheme}://{host.lower()}"
        for host in allowed_hosts
        for scheme in DEFAULT_PORTS
    }
    if public_url:
        listed.add((urlsplit(public_url).hostname or "").lower().rstrip("."))
        origins.add(find_origin_of(public_url))
    return HostPolicy(frozenset(names | listed), frozenset(origins))


def is_host_allowed(header: str, policy: HostPolicy) -> bool:
    """Return whether a Host header names this server."""
    name = find_host_name(header)
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
    is_written_well = ORIGIN.fullmatch(origin.strip().lower()) is not None
    normal = find_origin_of(origin) if is_written_well else ""
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


def find_host_name(header: str) -> str:
    """Return the name or address in a Host header, lower case; empty if invalid.

    Of an IPv6 address the brackets are dropped, and nothing may follow them but a
    port: `[127.0.0.1]evil.com` names no host.
    """
    written = HOST.fullmatch(header.strip().lower())
    if written is None:
        return ""
    return written["ipv6"] or written["name"].rstrip(".")


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
