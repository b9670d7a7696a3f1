"""Walking a parse tree, and reading the names in it."""

from collections.abc import Iterator
from typing import Any

from pglast import ast


def walk(root: Any) -> Iterator[tuple[Any, int]]:
    """Yield every node of a parse tree, and how deep it is."""
    stack = [(root, 0)]
    while stack:
        node, depth = stack.pop()
        if isinstance(node, (tuple, list)):
            stack.extend((item, depth) for item in node)
        elif isinstance(node, ast.Node):
            yield node, depth
            slots: Any = vars(type(node))["__slots__"]
            stack.extend((getattr(node, slot), depth + 1) for slot in slots)


def read_names(nodes: Any) -> list[str]:
    """Return the names in a list of nodes, without stars and subscripts."""
    return [str(node.sval) for node in nodes or () if isinstance(node, ast.String)]


def split_name(names: list[str]) -> tuple[str | None, str]:
    """Return a qualified name's schema, if there is one, and the name."""
    return (names[-2] if len(names) > 1 else None), names[-1]
