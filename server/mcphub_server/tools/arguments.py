"""Arguments as clients really send them, and schemas that strict clients accept.

Clients fill options that a model left out with empty strings and zeros, and send lists
and objects as JSON text; both are read where nothing else can be meant. The published
schemas keep to what all of the big clients take: one type for each property and for
each list's items, properties for each object, no `anyOf`, no null, no defaults.
"""

import json
import re
from collections.abc import Mapping
from typing import Any

from mcphub_server.errors import BadArgument

LONGEST_NAME = 40
MOST_NAMES = 3

LONGEST_JSON_TEXT = 131_072
CONTAINERS = frozenset({list, dict})
MOST_VALUES = 70_000
"""In an argument, however deep; a vector has up to 65,536 numbers."""

LONGEST_WORD = 1_024
"""Of a text that is a name, an id or a pattern: for `max_length` of its field."""

LONGEST_NULL = 16
"""With blanks around it."""

NOTHING = frozenset({"null", "undefined", "None"})
"""What JavaScript and Python write for no value."""

NUMBERS = re.compile(r"[-+\d.eE]++(?:\s*+,\s*+[-+\d.eE]++)*+")

MOST_JSON_PARTS = 2_048
"""Lists and objects in it; reading such a text takes about 3 ms at most."""

BLANK_CONTAINERS: tuple[object, ...] = ([], {}, 0, "0", "false")
"""What stands for a list or an object that a model left out; false equals 0."""

Schema = Mapping[str, Any]

UNPUBLISHED = frozenset(
    {"title", "default", "minLength", "maxLength", "additionalProperties"}
)
"""Refused by OpenAI's strict mode or Gemini, and checked here anyway."""


def simplify_schema(schema: Schema) -> dict[str, Any]:
    """Return an input schema without nulls; what is optional is just not required."""
    properties = schema.get("properties", {})
    plain = {key: value for key, value in schema.items() if key not in UNPUBLISHED}
    return {
        **plain,
        "properties": {
            name: _simplify_property(each) for name, each in properties.items()
        },
    }


def _simplify_property(schema: Schema) -> dict[str, Any]:
    plain = {key: value for key, value in schema.items() if key not in UNPUBLISHED}
    choices = plain.pop("anyOf", None)
    if choices is None:
        return plain
    (kind,) = (choice for choice in choices if choice != {"type": "null"})
    return {**_simplify_property(kind), **plain}


def read_arguments(schema: Schema, arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Return a call's arguments, without the options that are as good as left out.

    Raises:
        BadArgument: One has a name that the tool does not know, or too long a text.
    """
    properties = schema.get("properties", {})
    unknown = [name for name in arguments if name not in properties]
    if unknown:
        raise _refuse_names(unknown, properties)
    required = schema.get("required", ())
    read = {
        name: _read_value(each, properties[name]) for name, each in arguments.items()
    }
    given = {
        name: value
        for name, value in read.items()
        if name in required or not _is_left_out(name, value, properties[name])
    }
    for name, value in given.items():
        check_count(name, value, MOST_VALUES)
    return given


def read_object(name: str, value: object) -> dict[str, Any]:
    """Return an object that may come as its JSON text; raises BadArgument."""
    read = _read_json(value, {"type": "object"})
    if not isinstance(read, dict):
        raise BadArgument(f"{name} is an object, or the JSON text of one.")
    return read


def check_count(name: str, value: object, most: int) -> None:
    """Raise BadArgument if lists and objects have more values than that."""
    nested, count = [value], 0
    while nested:
        node = nested.pop()
        if not isinstance(node, list | dict):
            continue
        count += len(node)
        if count > most:
            raise BadArgument(f"{name} has more than {most} values.")
        children = node.values() if isinstance(node, dict) else node
        if not CONTAINERS.isdisjoint(map(type, children)):  # vectors have none
            nested.extend(child for child in children if isinstance(child, list | dict))


def _is_left_out(name: str, value: object, schema: Schema) -> bool:
    if value is None or value == "":
        return True
    if name == "cursor":  # other texts may be what these words say
        return isinstance(value, str) and value.strip() in NOTHING
    kind = schema.get("type")
    if kind == "integer":
        return _is_zero(value) and schema.get("minimum", 0) > 0
    if kind not in {"array", "object"}:
        return False
    blank = value.strip().lower() if isinstance(value, str) else value
    return blank in BLANK_CONTAINERS


def _is_zero(value: object) -> bool:
    if isinstance(value, str):
        return value.strip() == "0"
    return value == 0 and value is not False


def _read_value(value: object, schema: Schema) -> object:
    """Read JSON text, and one object as the list of it that is wanted."""
    read = _read_json(value, schema)
    if isinstance(read, dict) and read and _wants_list_of(schema, "object"):
        return [read]
    return read


def _read_json(value: object, schema: Schema) -> object:
    """Read a list, an object or null from its JSON text, where no text is wanted."""
    if not isinstance(value, str) or schema.get("type") == "string":
        return value
    if len(value) <= LONGEST_NULL and value.strip() in NOTHING:
        return None
    if len(value) > LONGEST_JSON_TEXT:
        raise BadArgument(
            f"A list or an object that comes as text has {LONGEST_JSON_TEXT} "
            "characters at most; send it as JSON itself."
        )
    if value.lstrip()[:1] not in {"[", "{"}:
        return _read_numbers(value, schema)
    if value.count("[") + value.count("{") > MOST_JSON_PARTS:
        raise BadArgument(
            f"A list or an object that comes as text has {MOST_JSON_PARTS} lists and "
            "objects in it at most; send it as JSON itself."
        )
    try:
        read: object = json.loads(value)
    except (ValueError, RecursionError):
        return value
    return read


def _read_numbers(text: str, schema: Schema) -> object:
    """Read `0.1, 0.2`, where a list of numbers is wanted."""
    is_wanted = _wants_list_of(schema, "number") or _wants_list_of(schema, "integer")
    if not is_wanted or not NUMBERS.fullmatch(text.strip()):
        return text
    try:
        read: object = json.loads(f"[{text}]")
    except ValueError:
        return text
    return read


def _wants_list_of(schema: Schema, kind: str) -> bool:
    return schema.get("type") == "array" and schema.get("items", {}).get("type") == kind


def _refuse_names(unknown: list[str], properties: Schema) -> BadArgument:
    shown = ", ".join(str(name)[:LONGEST_NAME] for name in unknown[:MOST_NAMES])
    more = f" and {len(unknown) - MOST_NAMES} more" if len(unknown) > MOST_NAMES else ""
    taken = ", ".join(properties) or "no arguments"
    return BadArgument(f"There is no argument {shown}{more}; this tool takes {taken}.")
