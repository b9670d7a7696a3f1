"""Depth and size of a caller's JSON, counted by a loop before anything recurses."""

from enum import Enum, auto
from typing import Any

MAX_TEXT = 65_536
"""Letters of all keys and texts together."""


class Excess(Enum):
    """What a value has too much of."""

    SIZE = auto()
    DEPTH = auto()


def find_excess(raw: Any, max_depth: int, max_parts: int) -> Excess | None:
    """Return what there is too much of; None within the bounds.

    Args:
        raw: JSON as Python has it.
        max_depth: How deep objects and lists may nest.
        max_parts: How many keys and values there may be.
    """
    stack, parts, text = [(raw, 0)], 0, 0
    while stack:
        node, depth = stack.pop()
        parts += 1
        text += len(node) if isinstance(node, str) else 0
        is_long = isinstance(node, (list, dict)) and len(node) > max_parts
        if parts > max_parts or text > MAX_TEXT or is_long:
            return Excess.SIZE
        if depth > max_depth:
            return Excess.DEPTH
        stack.extend((child, depth + 1) for child in list_children(node))
    return None


def list_children(node: Any) -> list[Any]:
    """Return the keys and values of an object, or the items of a list."""
    if isinstance(node, dict):
        return [*node.keys(), *node.values()]
    return node if isinstance(node, list) else []
