"""Arguments of a tool call from the words of a command line."""

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

from mcphub_cli.errors import UsageError

_DURATION = re.compile(r"(\d+(\.\d+)?(h|m|s|ms))+")


def parse_arguments(
    words: Sequence[str], document: str, schema: Mapping[str, Any]
) -> dict[str, Any]:
    """Return the arguments of a call.

    Args:
        words: `name=value`; a value is text where the schema says so, else JSON.
        document: A JSON object with more of them; "" for none.
        schema: The tool's input schema.

    Raises:
        UsageError: a word or the document cannot be read.
    """
    given: dict[str, Any] = {}
    for word in words:
        name, equals, value = word.partition("=")
        if not equals or not name:
            raise UsageError(f"{word!r} is no argument; write name=value")
        if name in given:
            raise UsageError(f"{name} is given twice; a list is one value of JSON")
        given[name] = _parse_value(name, value, _find_types(schema, name))
    return _parse_document(document) | given


def check_duration(option: str, text: str) -> None:
    """Raise UsageError unless kubectl takes a text as a duration."""
    if not _DURATION.fullmatch(text):
        raise UsageError(f"{option} takes a duration, such as 10m or 2h, not {text!r}")


def _parse_document(document: str) -> dict[str, Any]:
    try:
        parsed = json.loads(document or "{}")
    except ValueError as error:
        raise UsageError(f"The arguments are no JSON: {error}") from None
    if not isinstance(parsed, dict):
        raise UsageError('The arguments are no JSON object, such as {"limit": 5}')
    return parsed


def _find_types(schema: Mapping[str, Any], name: str) -> set[str]:
    """Return the types that a property may have; empty if the schema names none."""
    found = (schema.get("properties") or {}).get(name) or {}
    return {
        str(each["type"])
        for each in (found, *found.get("anyOf", ()))
        if isinstance(each.get("type"), str)
    }


def _parse_value(name: str, text: str, types: set[str]) -> Any:
    if not types or types <= {"string", "null"}:
        return text
    try:
        return json.loads(text)
    except ValueError:
        if "string" in types:
            return text
        wanted = " or ".join(sorted(types))
        raise UsageError(f"{name} takes {wanted}, not {text!r}") from None
