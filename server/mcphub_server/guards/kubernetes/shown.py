"""What of an object may be shown: everything that can hold a secret is left out.

Values of environment variables, commands, arguments, headers and annotations are where
people write passwords. References to Secrets stay: they are names.
"""

from collections.abc import Mapping
from typing import Any

LEFT_OUT = "[left out]"
MAX_DEPTH = 40

_HIDDEN = frozenset(
    """
    annotations args command httpHeaders managedFields options volumeAttributes
    """.split()
)
_METADATA = frozenset(
    "name namespace labels creationTimestamp deletionTimestamp ownerReferences".split()
)


def show_object(raw: Mapping[str, Any]) -> dict[str, Any]:
    """Return kind, metadata, spec and status of an object, without secrets."""
    metadata = raw.get("metadata") or {}
    return {
        "kind": raw.get("kind", ""),
        "metadata": {key: metadata[key] for key in metadata if key in _METADATA},
        "spec": hide(raw.get("spec") or {}),
        "status": hide(raw.get("status") or {}),
    }


def hide(node: Any, depth: int = 0) -> Any:
    """Return plain JSON in which hidden fields have no values."""
    if depth > MAX_DEPTH:
        return LEFT_OUT
    if isinstance(node, list):
        return [hide(each, depth + 1) for each in node]
    if not isinstance(node, dict):
        return node
    return {key: _hide_field(key, value, depth + 1) for key, value in node.items()}


def _hide_field(key: str, value: Any, depth: int) -> Any:
    if key in _HIDDEN:
        return LEFT_OUT
    if key == "terminated" and isinstance(value, dict) and "message" in value:
        return {**value, "message": LEFT_OUT}  # may be the end of the log
    if key == "env" and isinstance(value, list):
        return [_hide_variable(each, depth) for each in value]
    return hide(value, depth)


def _hide_variable(variable: Any, depth: int) -> Any:
    if isinstance(variable, dict) and "value" in variable:
        return {**variable, "value": LEFT_OUT}
    return hide(variable, depth)
