"""A declared tool's arguments: their JSON Schema, and the check of what a caller sends.

Values from claims are no arguments: they are in no schema, and a caller who sends one
is told that there is no such argument.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    TypeAdapter,
    ValidationError,
    create_model,
)
from pydantic_core import SchemaError

from mcphub_server.config.tools import ParameterConfig
from mcphub_server.errors import ConfigError, Forbidden
from mcphub_server.tools.declared.values import build_check, build_schema, read_written
from mcphub_server.tools.problems import describe_problems
from mcphub_server.web.claims import Claims

PAGING: dict[str, Any] = {
    "limit": {
        "type": "integer",
        "minimum": 1,
        "description": "Most rows to return; the tool's own limit applies too.",
    },
    "cursor": {
        "type": "string",
        "description": "The next_cursor of the page before, with the same other "
        "arguments.",
    },
}


class Arguments:
    """The parameters of one tool."""

    def __init__(self, tool: str, parameters: Sequence[ParameterConfig]) -> None:
        """Prepare the checks.

        Raises:
            ConfigError: A default, an enum or a pattern does not hold.
        """
        self._tool = tool
        self._parameters = tuple(parameters)
        self._claimed = {
            each.name: _build_adapter(each) for each in parameters if each.from_claim
        }
        self._model = _build_model([p for p in parameters if not p.from_claim])

    def build_schema(self) -> dict[str, Any]:
        """Return the JSON Schema of the input."""
        asked = [each for each in self._parameters if not each.from_claim]
        return {
            "type": "object",
            "properties": {each.name: _describe(each) for each in asked} | PAGING,
            "required": [each.name for each in asked if each.default is None],
            "additionalProperties": False,
        }

    def read(self, given: Mapping[str, Any], claims: Claims) -> "Values":
        """Return the values of the parameters, in their order.

        Raises:
            BadArgument: An argument is missing or does not fit.
            Forbidden: The caller lacks a claim that a parameter takes.
        """
        try:
            checked = self._model.model_validate(dict(given))
        except ValidationError as error:
            raise describe_problems(self._tool, error) from None
        values = {
            each.name: self._read_claim(each, claims)
            if each.from_claim
            else getattr(checked, f"p_{each.name}")
            for each in self._parameters
        }
        return Values(values, checked)

    def _read_claim(self, parameter: ParameterConfig, claims: Claims) -> object:
        value = claims.find(parameter.from_claim)
        if value is None or isinstance(value, list):
            raise Forbidden(f"claim {parameter.from_claim} is missing or is a list")
        try:
            return self._claimed[parameter.name].validate_python(value)
        except ValidationError:
            raise Forbidden(
                f"claim {parameter.from_claim} does not fit type {parameter.type}"
            ) from None


class Values(dict[str, object]):
    """The values of the parameters by name, and the page that is asked for."""

    def __init__(self, values: Mapping[str, object], checked: BaseModel) -> None:
        super().__init__(values)
        self.limit: int | None = getattr(checked, "limit", None)
        self.cursor: str | None = getattr(checked, "cursor", None)


def _build_adapter(parameter: ParameterConfig) -> TypeAdapter[Any]:
    try:
        return TypeAdapter(build_check(parameter))
    except (ValueError, SchemaError, TypeError):
        raise _refuse(parameter) from None


def _build_model(parameters: Sequence[ParameterConfig]) -> type[BaseModel]:
    fields: dict[str, Any] = {
        "limit": (int | None, Field(None, ge=1)),
        "cursor": (str | None, None),
    }
    for each in parameters:
        adapter, default = _build_adapter(each), _read_default(each)
        if default is not ...:
            default = _check_default(each, adapter, default)
        # prefixed: a parameter may have the name of a method of pydantic's
        fields[f"p_{each.name}"] = (
            build_check(each),
            Field(default, alias=each.name),
        )
    return create_model("Arguments", __config__=ConfigDict(extra="forbid"), **fields)


def _read_default(parameter: ParameterConfig) -> Any:
    if parameter.default is None:
        return ...
    try:
        return read_written(parameter.type, parameter.default)
    except ValueError:
        raise _refuse(parameter, "the default") from None


def _check_default(
    parameter: ParameterConfig, adapter: TypeAdapter[Any], default: object
) -> object:
    try:
        return adapter.validate_python(default)
    except ValidationError:
        raise _refuse(parameter, "the default") from None


def _refuse(parameter: ParameterConfig, what: str = "a bound") -> ConfigError:
    return ConfigError(
        f"parameter {parameter.name}: {what} does not fit the type {parameter.type}"
        " and what else is said of it."
    )


def _describe(parameter: ParameterConfig) -> dict[str, Any]:
    described = build_schema(parameter)
    notes = [parameter.description, *_move_into_words(described)]
    if any(notes):
        described["description"] = " ".join(filter(None, notes))
    if parameter.default is not None:
        described["default"] = read_written(parameter.type, parameter.default)
    return described


def _move_into_words(schema: dict[str, Any]) -> Iterator[str]:
    """Take out what Gemini refuses a whole request for, and yield it as sentences.

    Values are checked by it all the same.
    """
    if schema.get("format") == "date":
        del schema["format"]
        yield "A date such as 2026-01-31."
    if schema["type"] != "string" and "enum" in schema:
        yield f"One of {', '.join(map(str, schema.pop('enum')))}."
    if "items" in schema:
        yield from _move_into_words(schema["items"])
