"""Depth and size of a caller's JSON, counted by a loop before anything recurses."""

from typing import Any

from mcphub_server.errors import Rejected

MAX_DEPTH = 40
MAX_PARTS = 4_000
MAX_TEXT = 65_536


def check_size(raw: Any, what: str) -> None:
    """Refuse JSON that is too deep or too large; `what` names it, as "The filter"."""
    stack, parts, text = [(raw, 0)], 0, 0
    while stack:
        node, depth = stack.pop()
        parts += 1
        text += len(node) if isinstance(node, str) else 0
        if parts > MAX_PARTS or text > MAX_TEXT or _is_longer(node):
            raise Rejected(
                "mongodb/size",
                f"{what} has more than {MAX_PARTS} parts or {MAX_TEXT} letters.",
                "Use a range, a $lookup or fewer values.",
            )
        if depth > MAX_DEPTH:
            raise Rejected(
                "mongodb/depth",
                f"{what} nests more than {MAX_DEPTH} levels deep.",
                "Put conditions side by side in $and or $or.",
            )
        stack.extend((child, depth + 1) for child in list_children(node))


def list_children(node: Any) -> list[Any]:
    """Return the keys and values of an object, or the items of a list."""
    if isinstance(node, dict):
        return [*node.keys(), *node.values()]
    return node if isinstance(node, list) else []


def _is_longer(node: Any) -> bool:
    return isinstance(node, (list, dict)) and len(node) > MAX_PARTS
