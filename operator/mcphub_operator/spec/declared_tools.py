"""Declared tools: reviewed statements with typed parameters.

The API server refuses what a rule can tell; the statement itself is for the server,
which has the parsers and the databases.
"""

from enum import StrEnum
from typing import Annotated, Any

from pydantic import ConfigDict, Field

from mcphub_operator.spec.model import Model, has_none, is_empty, rule, rules
from mcphub_operator.spec.strings import BackendName, ClaimName

_TOOL_NAME = "^[a-z][a-z0-9_]{0,63}$"
_NUMBER = "^-?[0-9]+([.][0-9]+)?([eE][-+]?[0-9]+)?$"
_DATE = "^[0-9]{4}-[0-9]{2}-[0-9]{2}$"
_MOMENT = "^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}.*$"

NAME_SHAPE = rule(
    f"self.matches('{_TOOL_NAME}')",
    "must be lowercase letters, digits and '_', starting with a letter",
)

ToolName = Annotated[
    str,
    Field(
        min_length=1,
        max_length=64,
        json_schema_extra=rules(
            NAME_SHAPE,
            rule(
                "!(self in ['health_check', 'list_services'])",
                "is the name of a tool that every hub has",
            ),
        ),
    ),
]

ParameterName = Annotated[
    str,
    Field(
        min_length=1,
        max_length=64,
        json_schema_extra=rules(
            NAME_SHAPE,
            rule(
                "!(self in ['limit', 'cursor'])",
                "must not be limit or cursor, which every declared tool has",
            ),
        ),
    ),
]

Pattern = Annotated[str, Field(max_length=256)]

Written = Annotated[int | str, Field(json_schema_extra={"maxLength": 256})]


class ValueType(StrEnum):
    """The type of a single value."""

    STRING = "string"
    INTEGER = "integer"
    NUMBER = "number"
    BOOLEAN = "boolean"
    DATE = "date"
    TIMESTAMP = "timestamp"


class ParameterType(StrEnum):
    """The type of a parameter."""

    STRING = "string"
    INTEGER = "integer"
    NUMBER = "number"
    BOOLEAN = "boolean"
    DATE = "date"
    TIMESTAMP = "timestamp"
    ARRAY = "array"


_BOUNDS = (
    rule(
        "self.type == 'string' || (!has(self.minLength) && !has(self.maxLength)"
        f" && {is_empty('self.pattern')})",
        "minLength, maxLength and pattern need type string",
    ),
    rule(
        "self.type in ['integer', 'number']"
        " || (!has(self.minimum) && !has(self.maximum))",
        "minimum and maximum need type integer or number",
    ),
    rule(
        f"{has_none('self.enum')} || self.type in ['string', 'integer', 'number']",
        "enum needs type string, integer or number",
    ),
    rule(
        "self.type == 'number' || !has(self.enum)"
        " || self.enum.all(v, (self.type == 'string') == (type(v) == string))",
        'enum must have values of the type; write fractions as text, such as "0.5"',
    ),
)

_DEFAULT_FITS = (
    "!has(self.default)"
    " || (self.type == 'integer' && type(self.default) == int)"
    " || (self.type == 'number' && (type(self.default) == int"
    f" || string(self.default).matches('{_NUMBER}')))"
    " || (self.type == 'boolean' && string(self.default) in ['true', 'false'])"
    " || (self.type == 'string' && type(self.default) == string)"
    f" || (self.type == 'date' && string(self.default).matches('{_DATE}'))"
    f" || (self.type == 'timestamp' && string(self.default).matches('{_MOMENT}'))"
)


class Items(Model):
    """The items of an array."""

    model_config = ConfigDict(json_schema_extra=rules(*_BOUNDS))

    type: ValueType
    """Type of each item."""

    enum: Annotated[tuple[Written, ...], Field(max_length=32)] = ()
    """The allowed values. Empty: all."""

    minimum: float | None = None
    """Smallest number."""

    maximum: float | None = None
    """Largest number."""

    min_length: Annotated[int, Field(ge=0)] | None = None
    """Smallest number of characters."""

    max_length: Annotated[int, Field(ge=0)] | None = None
    """Largest number of characters."""

    pattern: Pattern = ""
    """Regular expression that each item contains. Empty: any text."""


class Parameter(Model):
    """A parameter of a declared tool, from the caller's arguments or identity."""

    model_config = ConfigDict(
        json_schema_extra=rules(
            *_BOUNDS,
            rule(
                "(self.type == 'array') == has(self.items)",
                "type array needs items, and items need type array",
            ),
            rule(
                "self.type == 'array' || (!has(self.minItems) && !has(self.maxItems))",
                "minItems and maxItems need type array",
            ),
            rule(
                f"!has(self.default) || {is_empty('self.fromClaim')}",
                "takes fromClaim or default, not both",
            ),
            rule(
                f"self.type != 'array' || {is_empty('self.fromClaim')}",
                "fromClaim needs a type other than array: a claim is one value",
            ),
            rule(
                _DEFAULT_FITS,
                "default must be of the type: a whole number for integer, else text,"
                ' such as "0.5", "true" or "2026-01-31"; an array takes none',
            ),
            rule(
                f"!has(self.default) || {has_none('self.enum')}"
                " || self.default in self.enum",
                "default must be one of enum",
            ),
            rule(
                "!has(self.default) || type(self.default) != int"
                " || ((!has(self.minimum) || double(self.default) >= self.minimum)"
                " && (!has(self.maximum) || double(self.default) <= self.maximum))",
                "default must be between minimum and maximum",
            ),
        )
    )

    name: ParameterName
    """Name of the argument; in Cypher and in pipelines, also of the placeholder."""

    type: ParameterType
    """Type of the value. The server casts each placeholder to it; timestamp is a moment
    with a time zone, UTC if none is given."""

    description: Annotated[str, Field(max_length=512)] = ""
    """Description for assistants."""

    default: Written | None = None
    """Value if the caller gives none. If unset, the argument is required."""

    from_claim: ClaimName = ""
    """Claim of the caller's token that gives the value; the parameter is then not in
    the tool's schema. `sub` is the token's name with auth.type Token.
    Callers without the claim are refused."""

    enum: Annotated[tuple[Written, ...], Field(max_length=32)] = ()
    """The allowed values. Empty: all."""

    minimum: float | None = None
    """Smallest number."""

    maximum: float | None = None
    """Largest number."""

    min_length: Annotated[int, Field(ge=0)] | None = None
    """Smallest number of characters."""

    max_length: Annotated[int, Field(ge=0)] | None = None
    """Largest number of characters."""

    pattern: Pattern = ""
    """Regular expression that the text contains. Empty: any text."""

    items: Items | None = None
    """The items of an array."""

    min_items: Annotated[int, Field(ge=0)] | None = None
    """Smallest number of items."""

    max_items: Annotated[int, Field(ge=0)] | None = None
    """Largest number of items."""


class ToolLimits(Model):
    """Limits of one tool, at most those of the hub."""

    max_rows: Annotated[int, Field(ge=1, le=100_000)] | None = None
    """Maximum number of rows that a call returns. If unset, that of the hub."""

    statement_timeout_seconds: Annotated[int, Field(ge=1, le=3600)] | None = None
    """Maximum time for the statement. If unset, that of the hub."""


class DeclaredTool(Model):
    """A reviewed statement that assistants call as a tool."""

    model_config = ConfigDict(
        json_schema_extra=rules(
            rule(
                "!has(self.parameters) || self.parameters.all(p,"
                " self.parameters.exists_one(q, q.name == p.name))",
                "parameters must have different names",
                field="parameters",
            )
        )
    )

    name: ToolName
    """Name of the tool. It must not be the name of a tool that a backend provides."""

    title: Annotated[str, Field(max_length=128)] = ""
    """Title for people. Empty: made from the name."""

    description: Annotated[str, Field(min_length=1, max_length=1024)]
    """Description for assistants: when to use the tool and what it returns."""

    backend: BackendName
    """Name of the backend that runs the statement. The tool is absent while the backend
    is not enabled."""

    statement: Annotated[str, Field(min_length=1, max_length=8192)]
    """One reading statement: SQL with $1, $2 … in the order of the parameters, Cypher
    with $name, or MongoDB's command aggregate in JSON with {"$param": "name"}. Clients
    never see it."""

    parameters: Annotated[tuple[Parameter, ...], Field(max_length=16)] = ()
    """The parameters; for SQL in the order of $1, $2 …."""

    limits: ToolLimits = ToolLimits()
    """Limits of this tool."""


def list_map(key: str) -> dict[str, Any]:
    """Return the schema of a list whose items have different values of a field."""
    return {"x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": [key]}


Tools = Annotated[
    tuple[DeclaredTool, ...], Field(max_length=64, json_schema_extra=list_map("name"))
]
