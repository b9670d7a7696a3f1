"""Filters, projections and sort orders: every operator in them is a known one.

Where an operator stands does not matter here: none of the known ones does more than
read, and MongoDB refuses one in a wrong place.
"""

import re
from typing import Any

from mcphub_server.errors import Rejected
from mcphub_server.guards.json_size import list_children
from mcphub_server.guards.mongodb.operators import OPERATORS, VARIABLES
from mcphub_server.guards.mongodb.size import check_size

MAX_PATTERN = 1_000
MAX_SORT_FIELDS = 32

_VARIABLE = re.compile(r"\$\$([A-Z_][A-Z_a-z0-9]*)")
_PATTERNS = frozenset({"$regex", "regex", "pattern"})
_DIRECTIONS = (1, -1)
_FILTER_ADVICE = (
    'A filter is {"field": value} or {"field": {"$gt": 1}}; $and, $or and $expr work.'
)
_SORT_ADVICE = 'A sort order is {"field": 1} or {"field": -1}.'


def check_filter(raw: Any) -> dict[str, Any]:
    """Return a filter that only reads.

    Raises:
        Rejected: It is too large, or has an operator that is not known to read.
    """
    if not isinstance(raw, dict):
        raise Rejected("mongodb/filter", "The filter is no object.", _FILTER_ADVICE)
    check_size(raw, "The filter")
    check_operators(raw)
    return raw


def check_projection(raw: Any) -> dict[str, Any]:
    """Return a projection that only reads; errors as in `check_filter`."""
    if not isinstance(raw, dict):
        raise Rejected(
            "mongodb/projection",
            "The projection is no object.",
            'A projection is {"field": 1} or {"field": 0}.',
        )
    check_size(raw, "The projection")
    check_operators(raw)
    return raw


def check_sort(raw: Any) -> dict[str, Any]:
    """Return a sort order: fields with 1, -1 or {"$meta": "textScore"}."""
    if not isinstance(raw, dict) or not 0 < len(raw) <= MAX_SORT_FIELDS:
        raise Rejected("mongodb/sort", "The sort order is no object.", _SORT_ADVICE)
    for field, direction in raw.items():
        if field.startswith("$") or not _is_direction(direction):
            raise Rejected("mongodb/sort", "It has another direction.", _SORT_ADVICE)
    check_operators(raw)
    return raw


def _is_direction(value: Any) -> bool:
    if isinstance(value, dict):
        return list(value) == ["$meta"] and isinstance(value["$meta"], str)
    return value in _DIRECTIONS and not isinstance(value, bool)


def check_operators(raw: Any) -> None:
    """Refuse an operator or a system variable that is not known to read."""
    stack = [raw]
    while stack:
        node = stack.pop()
        if isinstance(node, dict):
            _check_keys(node)
        elif isinstance(node, str):
            _check_variables(node)
        stack.extend(list_children(node))


def _check_keys(node: dict[str, Any]) -> None:
    for key, value in node.items():
        if not isinstance(key, str) or "\0" in key:
            raise Rejected("mongodb/name", "A field's name has a NUL.", "Leave it out.")
        if key.startswith("$") and key not in OPERATORS:
            raise Rejected(
                "read-only/operator",
                f"{key} is not an operator that is known to only read.",
                "Use query, expression and accumulator operators; none of them runs "
                "JavaScript.",
            )
        if key in _PATTERNS and isinstance(value, str) and len(value) > MAX_PATTERN:
            raise Rejected(
                "mongodb/pattern",
                f"A regular expression has more than {MAX_PATTERN} letters.",
                "Use $in or $text.",
            )


def _check_variables(text: str) -> None:
    found = _VARIABLE.match(text)
    if found and found.group(1) not in VARIABLES:
        raise Rejected(
            "read-only/variable",
            f"$${found.group(1)} is not a variable that is known to only read.",
            "Use $$ROOT, $$CURRENT, $$NOW, $$REMOVE, or variables of $let and $lookup.",
        )
