"""What a sample of nodes tells about their properties; values never."""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

MOST_PROPERTIES = 200

_NAMES = {
    "NoneType": "NULL",
    "bool": "BOOLEAN",
    "int": "INTEGER",
    "float": "FLOAT",
    "str": "STRING",
    "bytes": "BYTES",
    "bytearray": "BYTES",
    "Date": "DATE",
    "Time": "TIME",
    "DateTime": "DATETIME",
    "Duration": "DURATION",
    "CartesianPoint": "POINT",
    "WGS84Point": "POINT",
}
"""Cypher's names of types, by the names of the driver's classes."""


def describe_properties(sample: Sequence[object]) -> list[dict[str, Any]]:
    """Return name, types and count of each property of the nodes."""
    types: dict[str, set[str]] = defaultdict(set)
    present: Counter[str] = Counter()
    for properties in sample:
        if isinstance(properties, Mapping):
            for name, value in properties.items():
                types[str(name)].add(find_type(value))
                present[str(name)] += 1
    return [
        {"name": name, "types": sorted(types[name]), "present": present[name]}
        for name in sorted(types)[:MOST_PROPERTIES]
    ]


def find_type(value: object) -> str:
    """Return Cypher's name of a value's type; a list's with that of its items."""
    if isinstance(value, list):
        items = sorted({find_type(item) for item in value})
        return f"LIST<{' | '.join(items)}>"
    name = type(value).__name__
    return _NAMES.get(name, name.upper())
