"""The base class of all McpHub models, and the builder of CEL rules.

A model declares the schema of a field together with its rule, so the CRD and the
operator cannot disagree. Rules that JSON Schema can express are ordinary constraints
and also hold in Python. CEL rules are for the API server, which answers a violation
with their message.
"""

from typing import Any

from pydantic import BaseModel, ConfigDict
from pydantic.alias_generators import to_camel

RULES = "x-kubernetes-validations"


class Model(BaseModel):
    """A section of the resource: immutable, with camelCase aliases.

    Models ignore unknown fields, because a newer CRD may have fields that this
    operator does not know yet.
    """

    model_config = ConfigDict(
        alias_generator=to_camel,
        validate_by_name=True,
        validate_by_alias=True,
        serialize_by_alias=True,
        frozen=True,
        extra="ignore",
        use_attribute_docstrings=True,
    )


def rule(
    expression: str, message: str, field: str = "", *, hides_value: bool = False
) -> dict[str, str]:
    """Return a CEL rule in the CRD's format.

    Args:
        expression: the condition on `self`.
        message: the error message for the user, which says what to write instead.
        field: the field below `self` to which the error refers, if any.
        hides_value: the value may contain a password, so the error must not repeat
            it; only the reason "forbidden" omits the value.
    """
    written = {"rule": expression, "message": message}
    if field:
        written["fieldPath"] = f".{field}"
    if hides_value:
        written["reason"] = "FieldValueForbidden"
    return written


def is_empty(field: str, value: str = "''") -> str:
    """Return a CEL expression: a field is absent, or has the value that this means.

    Items of lists have no defaults in the CRD, so their fields may be absent.
    """
    return f"(!has({field}) || {field} == {value})"


def has_none(field: str) -> str:
    """Return a CEL expression: a list is absent or has no items."""
    return f"(!has({field}) || {field}.size() == 0)"


def rules(*each: dict[str, str], **more: Any) -> dict[str, Any]:
    """Return rules as pydantic's `json_schema_extra`."""
    return {RULES: list(each), **more}
