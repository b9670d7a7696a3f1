"""What a sample of documents tells about a collection's fields; values never."""

import datetime as dt
import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

MAX_DEPTH = 4
MAX_FIELDS = 200
MAX_PATH = 200

_NAMES = {
    "NoneType": "null",
    "bool": "bool",
    "int": "int",
    "Int64": "long",
    "float": "double",
    "str": "string",
    "bytes": "binData",
    "Binary": "binData",
    "UUID": "binData",
    "ObjectId": "objectId",
    "Decimal128": "decimal",
    "DatetimeMS": "date",
    "Timestamp": "timestamp",
    "Regex": "regex",
    "Code": "javascript",
    "MinKey": "minKey",
    "MaxKey": "maxKey",
}
"""$type's names, by the names of the driver's classes."""


def describe_fields(sample: Sequence[Mapping[str, Any]]) -> tuple[list[Any], bool]:
    """Return path, types and count of the fields, and whether some were left out."""
    types: dict[str, set[str]] = defaultdict(set)
    present: dict[str, int] = defaultdict(int)
    for document in sample:
        found = list(_walk(document, "", 0))
        for path, name in found:
            types[path].add(name)
        for path in {path for path, _ in found}:
            present[path] += 1
    paths = list(types)
    described = [
        {"path": path, "types": sorted(types[path]), "present": present[path]}
        for path in paths[:MAX_FIELDS]
    ]
    return described, len(paths) > MAX_FIELDS


def _walk(
    node: Mapping[str, Any], prefix: str, depth: int
) -> Iterator[tuple[str, str]]:
    for key, value in node.items():
        path = f"{prefix}{key}"[:MAX_PATH]
        yield path, find_type(value)
        if depth >= MAX_DEPTH:
            continue
        for item in value if isinstance(value, list) else [value]:
            if isinstance(item, Mapping):
                yield from _walk(item, f"{path}.", depth + 1)


def find_type(value: Any) -> str:
    """Return the BSON type of a value, as $type names it; arrays with their items'."""
    if isinstance(value, list):
        items = sorted(
            {find_type(each) for each in value if not isinstance(each, list)}
        )
        return f"array of {' or '.join(items)}" if items else "array"
    if isinstance(value, Mapping):
        return "object"
    if isinstance(value, dt.datetime):
        return "date"
    if isinstance(value, re.Pattern):
        return "regex"
    return _NAMES.get(type(value).__name__, type(value).__name__)
