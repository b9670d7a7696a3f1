"""A filter's grammar, held in bounds before anything recurses into it.

The client's own model needs seconds for a filter that nests 2,000 deep, and answers
one misspelled word with 29 errors. Here depth and size are counted first, by a loop;
then each clause is looked at with one sentence for what is wrong.
"""

from collections.abc import Callable, Mapping
from typing import Any

from mcphub_server.errors import BadArgument, Rejected
from mcphub_server.guards.json_size import MAX_TEXT, Excess, find_excess
from mcphub_server.guards.qdrant.geography import (
    check_bounding_box,
    check_polygon,
    check_radius,
)
from mcphub_server.guards.qdrant.names import check_point_id
from mcphub_server.guards.qdrant.numbers import is_count, is_finite
from mcphub_server.guards.qdrant.paths import quote_path

MAX_DEPTH = 24
MAX_VALUES = 2_000
MAX_KEY = 512
MAX_WHOLE = 2**53
"""Beyond it, a float is not sure to be the number that was written."""

_CLAUSES = frozenset({"must", "should", "must_not", "min_should"})
_MATCHES = frozenset({"value", "any", "except", "text", "text_any", "phrase"})
_RANGE = frozenset({"gt", "gte", "lt", "lte"})
_ADVICE = (
    'A filter is {"must": [condition, …]}, should and must_not alike; a condition is'
    ' {"key": "city", "match": {"value": "Rome"}} or {"key": "n", "range": {"gt": 1}}.'
)


def check_filter(raw: Any, max_depth: int = MAX_DEPTH) -> dict[str, Any]:
    """Return the filter, once it is known to be one, spelled as Qdrant reads it.

    Raises:
        Rejected: It is too deep or too large, or has a clause that Qdrant has not.
    """
    if not isinstance(raw, dict):
        raise _refuse("The filter is no object.")
    _check_size(raw, max_depth)
    whole: dict[str, Any] = _read_whole_numbers(raw)
    _check_filter(whole)
    read: dict[str, Any] = _spell(whole)
    return read


def _read_whole_numbers(node: Any) -> Any:
    """Return a filter with 2 in place of 2.0: JSON does not tell them apart."""
    if isinstance(node, list):
        return [_read_whole_numbers(each) for each in node]
    if isinstance(node, dict):
        return {name: _read_whole_numbers(value) for name, value in node.items()}
    if isinstance(node, float) and node.is_integer() and abs(node) < MAX_WHOLE:
        return int(node)
    return node


def _spell(node: Any) -> Any:
    """Return a filter with ids and keys as Qdrant reads them."""
    if isinstance(node, list):
        return [_spell(each) for each in node]
    if not isinstance(node, dict):
        return node
    return {name: _spell_part(name, value) for name, value in node.items()}


def _spell_part(name: str, value: Any) -> Any:
    if name == "has_id" and isinstance(value, list):
        return [check_point_id(each) for each in value]
    if name == "key" and isinstance(value, str):
        return quote_path(value)
    return _spell(value)


def _refuse(problem: str) -> Rejected:
    return Rejected("qdrant/filter", problem, _ADVICE)


def _check_size(raw: Any, max_depth: int) -> None:
    excess = find_excess(raw, max_depth, MAX_VALUES)
    if excess is Excess.SIZE:
        raise Rejected(
            "qdrant/filter-size",
            f"The filter has more than {MAX_VALUES} parts or {MAX_TEXT} letters.",
            "Use a range or fewer values.",
        )
    if excess is Excess.DEPTH:
        raise Rejected(
            "qdrant/filter-depth",
            f"The filter nests more than {max_depth} levels deep.",
            "Put the conditions side by side in must or should.",
        )


def _check_filter(node: Any) -> None:
    if not isinstance(node, dict) or not node:
        raise _refuse("A filter has at least one of must, should, must_not.")
    for clause, conditions in node.items():
        if clause not in _CLAUSES:
            raise _refuse(f"There is no clause {_show(clause)}.")
        if conditions is None:
            continue
        if clause == "min_should":
            _check_min_should(conditions)
        else:
            _check_conditions(conditions)


def _check_min_should(node: Any) -> None:
    if not isinstance(node, dict) or set(node) != {"conditions", "min_count"}:
        raise _refuse("min_should takes conditions and min_count.")
    if not is_count(node["min_count"]):
        raise _refuse("min_count is a whole number from 0 on.")
    _check_conditions(node["conditions"])


def _check_conditions(conditions: Any) -> None:
    for condition in conditions if isinstance(conditions, list) else [conditions]:
        _check_condition(condition)


def _check_condition(node: Any) -> None:
    if not isinstance(node, dict) or not node:
        raise _refuse("A condition is an object.")
    if "key" in node:
        _check_field(node)
    elif len(node) == 1 and (name := next(iter(node))) in _LONE:
        _LONE[name](node[name])
    else:
        _check_filter(node)


def _check_field(node: Mapping[Any, Any]) -> None:
    _check_key(node["key"])
    predicates = [name for name in node if name != "key" and node[name] is not None]
    if len(predicates) != 1:
        raise _refuse(f"The condition on {_show(node['key'])} needs one predicate.")
    check = _PREDICATES.get(predicates[0])
    if check is None:
        raise _refuse(f"There is no predicate {_show(predicates[0])}.")
    check(node[predicates[0]])


def _check_key(key: Any) -> None:
    if not isinstance(key, str) or not 1 <= len(key) <= MAX_KEY:
        raise _refuse("A key is the path of a payload field.")
    if any(character < " " for character in key):
        raise _refuse("A key has no control characters.")


def _check_match(node: Any) -> None:
    if not isinstance(node, dict) or len(node) != 1 or not set(node) <= _MATCHES:
        raise _refuse("match takes one of value, any, except, text, text_any, phrase.")
    name, value = next(iter(node.items()))
    if name in {"any", "except"}:
        if not isinstance(value, list) or not all(map(_is_keyword, value)):
            raise _refuse(f"match {name} takes a list of strings or whole numbers.")
    elif name == "value":
        if not (_is_keyword(value) or isinstance(value, bool)):
            raise _refuse("match value is a string, a whole number or a boolean.")
    elif not isinstance(value, str):
        raise _refuse(f"match {name} takes a string.")


def _is_keyword(value: Any) -> bool:
    if type(value) is int:
        return -(2**63) <= value < 2**63
    return isinstance(value, str)


def _check_range(node: Any) -> None:
    if not isinstance(node, dict) or not node or not set(node) <= _RANGE:
        raise _refuse("range takes gt, gte, lt, lte.")
    for value in node.values():
        # infinity would arrive as null, which bounds nothing
        if not (value is None or isinstance(value, str) or is_finite(value)):
            raise _refuse("range takes finite numbers or dates as strings.")


def _check_count(node: Any) -> None:
    if not isinstance(node, dict) or not node or not set(node) <= _RANGE:
        raise _refuse("values_count takes gt, gte, lt, lte.")
    if not all(value is None or is_count(value) for value in node.values()):
        raise _refuse("values_count takes whole numbers from 0 on.")


def _check_flag(value: Any) -> None:
    if not isinstance(value, bool):
        raise _refuse("is_empty and is_null of a key are true or false.")


def _check_lone_key(node: Any) -> None:
    if not isinstance(node, dict) or set(node) != {"key"}:
        raise _refuse('is_empty and is_null take {"key": …}.')
    _check_key(node["key"])


def _check_ids(node: Any) -> None:
    if not isinstance(node, list):
        raise _refuse("has_id takes a list of ids.")
    try:
        for point_id in node:
            check_point_id(point_id)
    except BadArgument:
        raise _refuse("has_id takes whole numbers and UUIDs.") from None


def _check_has_vector(node: Any) -> None:
    if not isinstance(node, str):
        raise _refuse("has_vector takes a vector's name.")


def _check_nested(node: Any) -> None:
    if not isinstance(node, dict) or set(node) != {"key", "filter"}:
        raise _refuse("nested takes key and filter.")
    _check_key(node["key"])
    _check_filter(node["filter"])


def _show(value: Any) -> str:
    return repr(value)[:60]


_PREDICATES: Mapping[Any, Callable[[Any], None]] = {
    "match": _check_match,
    "range": _check_range,
    "values_count": _check_count,
    "is_empty": _check_flag,
    "is_null": _check_flag,
    "geo_bounding_box": check_bounding_box,
    "geo_radius": check_radius,
    "geo_polygon": check_polygon,
}
_LONE: Mapping[Any, Callable[[Any], None]] = {
    "is_empty": _check_lone_key,
    "is_null": _check_lone_key,
    "has_id": _check_ids,
    "has_vector": _check_has_vector,
    "nested": _check_nested,
}
