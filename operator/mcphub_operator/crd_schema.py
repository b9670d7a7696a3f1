"""Turn pydantic's JSON Schema into the structural schema that Kubernetes takes.

Kubernetes wants every node to have one type and nothing from beside its own subset:
references are written out, `X or null` becomes X (absent is the null of Kubernetes),
and `int or string` its own marker. What this module does not know, it refuses, so
that a new kind of field cannot slip into the CRD half translated.

Items of lists get no defaults: kubectl and Argo CD compare a list as a whole, and would
find a manifest that names no default different from what is stored, for ever. The
operator knows the defaults, and the description names them.
"""

import json
from collections.abc import Callable, Mapping
from typing import Any

from pydantic import BaseModel

JSON = dict[str, Any]

_KEPT = frozenset(
    {"type", "description", "default", "enum", "format", "pattern"}
    | {"minimum", "maximum", "minLength", "maxLength", "minItems", "maxItems"}
    | {"minProperties", "maxProperties", "required", "nullable"}
)
_DROPPED = frozenset({"title", "propertyNames", "$defs"})


def structural_schema(model: type[BaseModel]) -> JSON:
    """Return the schema of a model, with defaults and rules, for a CRD."""
    return _without_item_defaults(documented_schema(model))


def documented_schema(model: type[BaseModel]) -> JSON:
    """Return the same schema with the defaults of items of lists too."""
    schema = model.model_json_schema()
    return _Rewriter(schema.get("$defs", {})).rewrite(schema)


def _without_item_defaults(schema: JSON, *, is_below_item: bool = False) -> JSON:
    written = dict(schema)
    if is_below_item and "default" in written:
        _name_default(written, written.pop("default"))
    if "items" in written:
        written["items"] = _without_item_defaults(written["items"], is_below_item=True)
    if "properties" in written:
        written["properties"] = {
            name: _without_item_defaults(field, is_below_item=is_below_item)
            for name, field in written["properties"].items()
        }
    return written


def _name_default(schema: JSON, default: Any) -> None:
    if "properties" not in schema and default not in ("", [], {}):
        text = f"{schema.get('description', '')} Default: {json.dumps(default)}."
        schema["description"] = text.strip()


class _Rewriter:
    def __init__(self, definitions: Mapping[str, JSON]) -> None:
        self._definitions = definitions
        self._nested: Mapping[str, Callable[[Any], Any]] = {
            "properties": self._properties,
            "items": self.rewrite,
            "additionalProperties": self.rewrite,
        }

    def rewrite(self, schema: JSON) -> JSON:
        flat = _without_null(self._resolve(schema))
        written = {key: value for key, value in flat.items() if key in _KEPT}
        written |= {k: v for k, v in flat.items() if k.startswith("x-kubernetes-")}
        for key, nested in self._nested.items():
            if key in flat and flat[key] is not True:
                written[key] = nested(flat[key])
        _refuse_unknown(flat.keys() - self._nested.keys())
        return _in_order(_on_one_line(written))

    def _resolve(self, schema: JSON) -> JSON:
        """Write out a reference; what stands beside it wins over what it says."""
        rest = {key: value for key, value in schema.items() if key != "$ref"}
        if "$ref" in schema:
            name = schema["$ref"].removeprefix("#/$defs/")
            return self._resolve(self._definitions[name]) | rest
        if options := _options(schema):
            return _merge(rest, [self._resolve(option) for option in options])
        return rest

    def _properties(self, properties: JSON) -> JSON:
        return {name: self.rewrite(schema) for name, schema in properties.items()}


def _options(schema: JSON) -> list[JSON]:
    return [o for o in schema.get("anyOf", ()) if o.get("type") != "null"]


def _merge(rest: JSON, options: list[JSON]) -> JSON:
    outer = {key: value for key, value in rest.items() if key != "anyOf"}
    types = sorted(option.get("type", "") for option in options)
    if len(options) == 1:
        return options[0] | outer
    if types == ["integer", "string"]:
        return outer | {"x-kubernetes-int-or-string": True}
    raise ValueError(f"Kubernetes has no type for any of {types}")


def _without_null(schema: JSON) -> JSON:
    if "default" not in schema:
        return schema
    written = {key: value for key, value in schema.items() if key != "default"}
    default = _set_values(schema["default"])
    return written if default is None else written | {"default": default}


def _set_values(value: Any) -> Any:
    """Drop what a default leaves open: the API server takes null for a value."""
    if isinstance(value, dict):
        return {k: _set_values(v) for k, v in value.items() if v is not None}
    return value


def _refuse_unknown(keys: set[str]) -> None:
    unknown = {key for key in keys if not key.startswith("x-kubernetes-")}
    if unknown := unknown - _KEPT - _DROPPED:
        raise ValueError(f"Kubernetes does not know {', '.join(sorted(unknown))}")


def _on_one_line(schema: JSON) -> JSON:
    if "description" not in schema:
        return schema
    return schema | {"description": " ".join(schema["description"].split())}


def _in_order(schema: JSON) -> JSON:
    """Put what a reader looks for first in front, and the rest by name."""
    front = ("description", "type", "default", "required")
    rest = sorted(schema.keys() - set(front))
    return {key: schema[key] for key in (*front, *rest) if key in schema}
