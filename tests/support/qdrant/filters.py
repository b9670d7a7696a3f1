"""Qdrant's REST filters as the engine's filter objects; part of the double."""

from collections.abc import Callable
from typing import Any

import qdrant_edge as edge

Json = dict[str, Any]


class BadRequest(ValueError):
    """What a real Qdrant answers with status 400."""


def read_filter(raw: Json | None) -> edge.Filter | None:
    """Return the engine's filter; raise BadRequest for what it does not know."""
    if raw is None:
        return None
    known = {"must", "should", "must_not", "min_should"}
    if unknown := set(raw) - known:
        raise BadRequest(f"unknown field in filter: {min(unknown)}")
    clauses: dict[str, Any] = {
        name: [read_condition(each) for each in as_list(raw[name])]
        for name in ("must", "should", "must_not")
        if raw.get(name) is not None
    }
    if raw.get("min_should"):
        least = raw["min_should"]
        clauses["min_should"] = edge.MinShould(
            [read_condition(each) for each in least["conditions"]], least["min_count"]
        )
    return edge.Filter(**clauses)


def as_list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def read_condition(raw: Json) -> Any:
    """Return one condition, or a filter within a filter."""
    readers: dict[str, Callable[[Any], Any]] = {
        "is_empty": lambda value: edge.IsEmptyCondition(value["key"]),
        "is_null": lambda value: edge.IsNullCondition(value["key"]),
        "has_id": lambda value: edge.HasIdCondition(set(value)),
        "has_vector": edge.HasVectorCondition,
        "nested": lambda value: edge.NestedCondition(
            value["key"], read_filter(value["filter"]) or edge.Filter()
        ),
    }
    if "key" not in raw:
        for name, reader in readers.items():
            if name in raw:
                return reader(raw[name])
        return read_filter(raw)
    return read_field(raw)


def read_field(raw: Json) -> edge.FieldCondition:
    """Return a condition on one field of the payload."""
    readers: dict[str, Callable[[Any], Any]] = {
        "match": read_match,
        "range": read_range,
        "geo_radius": lambda value: edge.GeoRadius(
            read_point(value["center"]), value["radius"]
        ),
        "geo_bounding_box": lambda value: edge.GeoBoundingBox(
            read_point(value["top_left"]), read_point(value["bottom_right"])
        ),
        "geo_polygon": read_polygon,
        "values_count": lambda value: edge.ValuesCount(**value),
        "is_empty": bool,
        "is_null": bool,
    }
    arguments = {
        name: reader(raw[name])
        for name, reader in readers.items()
        if raw.get(name) is not None
    }
    if not arguments:
        raise BadRequest("a field condition needs a predicate that Qdrant knows")
    return edge.FieldCondition(raw["key"], **arguments)


def read_match(raw: Json) -> Any:
    kinds = {
        "value": edge.MatchValue,
        "text": edge.MatchText,
        "text_any": edge.MatchTextAny,
        "phrase": edge.MatchPhrase,
        "any": edge.MatchAny,
        "except": edge.MatchExcept,
    }
    for name, kind in kinds.items():
        if name in raw:
            return kind(raw[name])
    raise BadRequest("unknown kind of match")


def read_range(raw: Json) -> Any:
    if any(isinstance(bound, str) for bound in raw.values()):
        return edge.RangeDateTime(**raw)
    return edge.RangeFloat(**raw)


def read_polygon(raw: Json) -> edge.GeoPolygon:
    exterior, *interiors = (
        [read_point(point) for point in line["points"]]
        for line in (raw["exterior"], *(raw.get("interiors") or ()))
    )
    return edge.GeoPolygon(exterior, interiors or None)


def read_point(raw: Json) -> edge.GeoPoint:
    try:
        return edge.GeoPoint(raw["lon"], raw["lat"])
    except Exception as error:
        raise BadRequest(f"geo point: {error}") from error
