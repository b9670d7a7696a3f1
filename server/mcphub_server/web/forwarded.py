"""The client's address behind proxies that are trusted by their address.

A header counts only as far as the chain of trusted proxies reaches: from the right,
the first address that is not a trusted proxy is the client's. Behind a NodePort with
`externalTrafficPolicy: Cluster` that is a node's: the client's own is lost there.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from ipaddress import (
    IPv4Address,
    IPv4Network,
    IPv6Address,
    IPv6Network,
    ip_address,
    ip_network,
)

from starlette.datastructures import Headers

WITH_PORT = re.compile(r"(?:\[(?P<ipv6>[^\]]*)\]|(?P<ipv4>[0-9.]+))(?::[0-9]{0,5})?")

Network = IPv4Network | IPv6Network

HTTP_SCHEMES = {"http": "http", "https": "https", "ws": "http", "wss": "https"}
"""A WebSocket is opened by HTTP; some proxies name its own scheme in the header."""


@dataclass(frozen=True, slots=True)
class Origin:
    """The client's address, and the scheme that it used: http or https."""

    address: str
    scheme: str


def parse_networks(values: Sequence[str]) -> tuple[Network, ...]:
    """Return the networks of checked configuration values."""
    return tuple(ip_network(value, strict=False) for value in values)


def find_origin(
    peer: str, scheme: str, headers: Headers, trusted: Sequence[Network]
) -> Origin:
    """Return where the request comes from.

    Args:
        peer: The address of the connection.
        scheme: The scheme of the connection, or of the WebSocket on it.
        headers: The request's; `x-forwarded-for` and `x-forwarded-proto` are read.
        trusted: The networks whose headers are accepted.
    """
    address, scheme = normalise(peer), HTTP_SCHEMES.get(scheme, scheme)
    if not is_trusted(address, trusted):
        return Origin(address, scheme)
    for hop in reversed(list_values(headers, "x-forwarded-for")):
        candidate = normalise(hop)
        if not candidate:
            break
        address = candidate
        if not is_trusted(candidate, trusted):
            break
    forwarded = list_values(headers, "x-forwarded-proto")[-1].strip().lower()
    return Origin(address, HTTP_SCHEMES.get(forwarded, scheme))


def list_values(headers: Headers, name: str) -> list[str]:
    """Return a list header's values in order, over all its lines; at least one.

    A proxy may add a line of its own after the client's (HAProxy does), which means
    the same as a value at the end of one line (RFC 9110, section 5.3).
    """
    return ",".join(headers.getlist(name)).split(",")


def normalise(value: str) -> str:
    """Return an address without port or brackets, IPv4 as IPv4; empty if invalid."""
    parsed = parse_address(value)
    return str(parsed) if parsed else ""


# a connection brings its address with every request
@lru_cache(maxsize=1024)
def parse_address(value: str) -> IPv4Address | IPv6Address | None:
    """Read `1.2.3.4`, `1.2.3.4:5`, `::1`, `[::1]:5`; None for anything else."""
    text = value.strip()
    written = WITH_PORT.fullmatch(text)
    if written is not None:
        text = written["ipv6"] or written["ipv4"]
    try:
        parsed = ip_address(text)
    except ValueError:
        return None
    if isinstance(parsed, IPv6Address) and parsed.ipv4_mapped:
        return parsed.ipv4_mapped
    return parsed


def is_trusted(address: str, trusted: Sequence[Network]) -> bool:
    """Return whether an address belongs to a trusted proxy."""
    parsed = parse_address(address)
    return parsed is not None and any(parsed in network for network in trusted)
