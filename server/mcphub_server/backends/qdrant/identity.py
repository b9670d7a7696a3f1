"""The caller's identity as Qdrant gets it: conditions that every point must meet.

Qdrant itself knows no callers, so the conditions stand above whatever a caller filters
by. A caller's own filter is one condition among them and can only narrow. Pure.
"""

from typing import Any

from mcphub_server.backends.identity import read_claim
from mcphub_server.config.backends import QdrantIdentityConfig
from mcphub_server.errors import Forbidden
from mcphub_server.web.claims import Claims, Scalar

SMALLEST, LARGEST = -(2**63), 2**63 - 1

Condition = dict[str, Any]


def build_conditions(
    config: QdrantIdentityConfig | None, claims: Claims
) -> list[Condition] | None:
    """Return what the caller's points meet; None where the backend has no identity.

    Raises:
        Forbidden: A claim is missing, or has a value that no payload can equal.
    """
    if config is None:
        return None
    return [
        {"key": each.key, "match": {"value": read_match(claims, each.from_claim)}}
        for each in config.filter
    ]


def read_match(claims: Claims, name: str) -> Scalar:
    """Return a claim as a value that Qdrant compares: text, boolean or 64-bit integer.

    The type stays: the text "42" is not the number 42.
    """
    value = read_claim(claims, name)
    if isinstance(value, float):
        raise Forbidden(f"claim {name} is a fraction, which Qdrant does not compare")
    if isinstance(value, int) and not SMALLEST <= value <= LARGEST:
        raise Forbidden(f"claim {name} has more than 64 bits")
    return value


def confine(conditions: list[Condition], chosen: Condition | None) -> Condition:
    """Return a filter for points that meet the conditions and the chosen filter."""
    return {"must": [*conditions, *([chosen] if chosen else [])]}
