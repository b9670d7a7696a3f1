"""What big MCP clients accept of a tool, by the rules that their makers publish.

Each rule returns what is wrong with a tool's name and input schema, in words.

- Gemini: the Schema object of the Gemini API (ai.google.dev/api/caching#Schema) and the
  rules for names of FunctionDeclaration. An object without properties is refused with
  "should be non-empty for OBJECT type"; a tool without parameters is sent without any.
- OpenAI: Structured Outputs, "Supported schemas" (platform.openai.com/docs), which
  strict function calling applies. `additionalProperties: false` and a list of required
  names are added by its SDKs, which refuse a schema that allows other properties.
- VS Code with Copilot: what its tool validation reports, such as "array type must have
  items" and "object schema missing properties"; 128 tools a request.
- Claude: names of tools and of properties (docs.claude.com, tool use).
"""

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

Schema = Mapping[str, Any]
Rules = Callable[[str, Schema], Iterator[str]]

MOST_TOOLS = 128
LONGEST_DESCRIPTION = 1_024
DEEPEST = 10
NAME = re.compile(r"[a-zA-Z_][a-zA-Z0-9_-]{0,63}")
PROPERTY = re.compile(r"[a-zA-Z0-9_.-]{1,64}")
WORDS = frozenset({"string", "integer", "number", "boolean", "array", "object"})
PLAIN = frozenset({"type", "description", "enum", "items", "properties", "required"})
BOUNDS = frozenset({"minimum", "maximum", "minItems", "maxItems", "pattern"})
GEMINI = PLAIN | BOUNDS | {"title", "nullable", "default", "example", "anyOf", "format"}
GEMINI_FORMATS = frozenset({"enum", "date-time", "int32", "int64", "float", "double"})
OPENAI = PLAIN | BOUNDS | {"anyOf", "$ref", "$defs", "format", "const"}


def walk(schema: Schema, path: str = "", depth: int = 1) -> Iterator[tuple[str, int]]:
    """Yield the path and the depth of each schema within one; see `find`."""
    yield path, depth
    for name, each in schema.get("properties", {}).items():
        yield from walk(each, f"{path}/properties/{name}", depth + 1)
    if isinstance(schema.get("items"), Mapping):
        yield from walk(schema["items"], f"{path}/items", depth + 1)


def find(schema: Schema, path: str) -> Schema:
    """Return the schema at a path."""
    for step in path.split("/")[1:]:
        schema = schema[step]
    return schema


def check_gemini(name: str, schema: Schema) -> Iterator[str]:
    """Yield what Gemini refuses."""
    for path, depth in walk(schema):
        each = find(schema, path)
        yield from _name_unknown(path, each, GEMINI)
        if each.get("type") == "object" and depth > 1 and not each.get("properties"):
            yield f"{path}: should be non-empty for OBJECT type"
        if "format" in each and each["format"] not in GEMINI_FORMATS:
            yield f"{path}: format {each['format']}"
        if "enum" in each and each.get("type") != "string":
            yield f"{path}: an enum of another type than string"
    yield from _check_name(name)


def check_openai(name: str, schema: Schema) -> Iterator[str]:
    """Yield what OpenAI's strict mode refuses."""
    for path, depth in walk(schema):
        yield from _name_unknown(path, find(schema, path), OPENAI)
        if depth > DEEPEST:
            yield f"{path}: deeper than {DEEPEST}"
    yield from _check_name(name)


def check_copilot(name: str, schema: Schema) -> Iterator[str]:
    """Yield what VS Code's validation of tools reports."""
    for path, _ in walk(schema):
        each = find(schema, path)
        if not isinstance(each.get("type"), str) or each["type"] not in WORDS:
            yield f"{path}: no single type"
        if each.get("type") == "array" and not each.get("items"):
            yield f"{path}: array type must have items"
        if each.get("type") == "object" and "properties" not in each:
            yield f"{path}: object schema missing properties"
        if set(each.get("required", ())) - set(each.get("properties", ())):
            yield f"{path}: requires what it does not have"
    yield from _check_name(name)


def check_claude(name: str, schema: Schema) -> Iterator[str]:
    """Yield what Claude refuses."""
    for path, _ in walk(schema):
        for each in find(schema, path).get("properties", {}):
            if not PROPERTY.fullmatch(each):
                yield f"{path}: the property {each}"
    if schema.get("type") != "object" or {"anyOf", "oneOf", "allOf"} & set(schema):
        yield "the whole is no plain object"
    yield from _check_name(name)


CLIENTS: Mapping[str, Rules] = {
    "Gemini": check_gemini,
    "OpenAI": check_openai,
    "Copilot": check_copilot,
    "Claude": check_claude,
}


def _name_unknown(path: str, schema: Schema, known: frozenset[str]) -> Iterator[str]:
    for word in sorted(set(schema) - known):
        yield f"{path}: {word} is not supported"


def _check_name(name: str) -> Iterator[str]:
    if not NAME.fullmatch(name):
        yield f"the name {name}"
