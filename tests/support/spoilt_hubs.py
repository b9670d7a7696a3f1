"""Specs that the CRD's schema refuses, each for one reason."""

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from tests.support.drawn_hubs import SPEC

VALID_BACKEND = {"name": "b", "qdrant": {"url": "http://qdrant:6333"}}
WRONG_TYPES: Mapping[str, tuple[tuple[str, Any], ...]] = {
    "string": (("is a list", ["x"]),),
    "integer": (("is a text", "many"),),
    "number": (("is a text", "many"),),
    "boolean": (("is a number", 7),),
    "array": (("is a text", "x"),),
    "object": (("is a text", "x"),),
}


class Spoilt(NamedTuple):
    """A spec and what is wrong with it."""

    reason: str
    spec: dict[str, Any]


def spoil_all() -> Iterator[Spoilt]:
    """Return a spec for each way to break each field of the schema."""
    for name, schema in SPEC["properties"].items():
        if name != "backends":
            yield from _nest(name, _spoil(name, schema))
    item = SPEC["properties"]["backends"]["items"]["properties"]
    for name in ("name", "enabled"):
        for reason, value in _spoil(f"backends[].{name}", item[name]):
            yield Spoilt(reason, {"backends": [VALID_BACKEND | {name: value}]})
    for member in ("postgres", "qdrant", "neo4j", "mongodb", "kubernetes"):
        for reason, value in _spoil(f"backends[].{member}", item[member]):
            yield Spoilt(reason, {"backends": [{"name": "b", member: value}]})


def _nest(name: str, found: Iterator[tuple[str, Any]]) -> Iterator[Spoilt]:
    for reason, value in found:
        yield Spoilt(reason, {name: value})


def _spoil(path: str, schema: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """Return bad values for a field, and for all fields inside it."""
    if "x-kubernetes-preserve-unknown-fields" in schema:
        return
    for bad, value in _spoil_value(schema):
        yield f"{path} {bad}", value
    if "items" in schema:
        for reason, value in _spoil(f"{path}[]", schema["items"]):
            yield reason, [value]
    for name, nested in schema.get("properties", {}).items():
        for reason, value in _spoil(f"{path}.{name}", nested):
            yield reason, {name: value}


def _spoil_value(schema: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    yield from WRONG_TYPES.get(schema.get("type", ""), ())
    if "maxLength" in schema:
        yield "is too long", "x" * (schema["maxLength"] + 1)
    if "enum" in schema:
        yield "is none of these", "no such choice"
    if "minimum" in schema:
        yield "is too small", schema["minimum"] - 1
    if "maximum" in schema:
        yield "is too large", schema["maximum"] + 1
