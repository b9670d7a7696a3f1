"""The types that only drivers have, each as simpler values; found by name.

Values come from a driver that is loaded already, so its types need no import here:
`neo4j.graph.Node` is a class of that name in that module. What a converter returns
is converted further by `values`.
"""

from collections.abc import Callable, Hashable, Mapping
from functools import lru_cache
from typing import Any

from mcphub_server.results.undecoded import read_structure

Simplify = Callable[[Any], Any]

LONGEST_NUMBERS = 64
"""A property with more numbers, an embedding, is told by its length alone."""


def shorten_numbers(properties: Mapping[str, Any]) -> dict[str, Any]:
    """Return properties with long lists of numbers as a count.

    Who wants the numbers returns the property by itself.
    """
    return {
        name: f"[{len(value)} numbers]" if _is_long(value) else value
        for name, value in properties.items()
    }


def _is_long(value: Any) -> bool:
    if type(value).__name__ == "Vector":
        return len(value) > LONGEST_NUMBERS
    return (
        isinstance(value, list)
        and len(value) > LONGEST_NUMBERS
        and all(type(each) in {int, float} for each in value)
    )


def _node(value: Any) -> dict[str, Any]:
    return {
        "element_id": value.element_id,
        "labels": sorted(value.labels),
        "properties": shorten_numbers(dict(value.items())),
    }


def _relationship(value: Any) -> dict[str, Any]:
    return {
        "element_id": value.element_id,
        "type": value.type,
        "start": _find_element_id(value.start_node),
        "end": _find_element_id(value.end_node),
        "properties": shorten_numbers(dict(value.items())),
    }


def _find_element_id(node: Any) -> Any:
    return None if node is None else node.element_id


def _path(value: Any) -> dict[str, Any]:
    return {
        "nodes": list(value.nodes),
        "relationships": list(value.relationships),
        "length": len(value.relationships),
    }


def _point(value: Any) -> dict[str, Any]:
    names = ("longitude", "latitude", "height") if _is_geographic(value) else "xyz"
    return {"srid": value.srid, **dict(zip(names, value, strict=False))}


def _is_geographic(value: Any) -> bool:
    return value.srid in {4326, 4979}


def _iso(value: Any) -> str:
    return str(value.iso_format())


def _moment(value: Any) -> str:
    zone = getattr(value.tzinfo, "key", None) or getattr(value.tzinfo, "zone", None)
    return f"{value.iso_format()}[{zone}]" if zone else _iso(value)


def _vector(value: Any) -> list[Any]:
    return list(value.to_native())


def _model(value: Any) -> Any:
    return value.model_dump(mode="python", exclude_none=True)


def _range(value: Any) -> str:
    if value.isempty:
        return "empty"
    lower = "" if value.lower is None else value.lower
    upper = "" if value.upper is None else value.upper
    opening, closing = "(["[value.lower_inc], ")]"[value.upper_inc]
    return f"{opening}{lower},{upper}{closing}"


def _record(value: Any) -> dict[str, Any]:
    return dict(value.items())


def _array(value: Any) -> Any:
    return value.tolist()


_BY_NAME: Mapping[tuple[str, str], Simplify] = {
    ("neo4j", "Node"): _node,
    ("neo4j", "Relationship"): _relationship,
    ("neo4j", "Path"): _path,
    ("neo4j", "Point"): _point,
    ("neo4j", "Date"): _iso,
    ("neo4j", "Time"): _iso,
    ("neo4j", "DateTime"): _moment,
    ("neo4j", "Duration"): _iso,
    ("neo4j", "Vector"): _vector,
    ("neo4j", "BrokenHydrationObject"): lambda value: value.raw_data,
    ("neo4j", "Structure"): read_structure,
    ("builtins", "Structure"): read_structure,  # of neo4j-rust-ext
    ("neo4j", "UnsupportedType"): lambda value: f"[{value.name}]",
    ("pydantic", "BaseModel"): _model,
    ("asyncpg", "Range"): _range,
    ("asyncpg", "Record"): _record,
    ("asyncpg", "BitString"): lambda value: value.as_string().replace(" ", ""),
    ("numpy", "ndarray"): _array,
    ("numpy", "generic"): _array,
}


def find_converter(kind: type) -> Simplify | None:
    """Return how to simplify a driver's type, looking at its bases too."""
    return _search(kind)


@lru_cache(maxsize=512)
def _search(kind: Hashable) -> Simplify | None:
    if not isinstance(kind, type):
        return None
    for base in kind.__mro__:
        package = base.__module__.partition(".")[0]
        found = _BY_NAME.get((package, base.__name__))
        if found is not None:
            return found
    return None
