"""What every model of the McpHub has in common, and how a CEL rule is written.

The schema of a field and the rule about it stand beside each other here, so that
the CRD cannot say one thing and the operator believe another. Rules that JSON Schema
can express are ordinary constraints and hold in Python too; rules in CEL are for the
API server, which answers with their message.
"""

from typing import Any

from pydantic import BaseModel, ConfigDict
from pydantic.alias_generators import to_camel

RULES = "x-kubernetes-validations"


class Model(BaseModel):
    """A section of the resource: immutable, camelCase outside.

    Unknown fields are ignored: a newer CRD may carry fields that this operator does
    not know yet.
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
    """Return a CEL rule as the CRD writes it.

    Args:
        expression: what must be true, of `self`.
        message: the sentence that a user reads, saying what to write instead.
        field: the field below `self` that the refusal points at, if any.
        hides_value: the value may hold a password, so the refusal must not repeat it;
            of all reasons only "forbidden" leaves it out.
    """
    written = {"rule": expression, "message": message}
    if field:
        written["fieldPath"] = f".{field}"
    if hides_value:
        written["reason"] = "FieldValueForbidden"
    return written


def rules(*each: dict[str, str], **more: Any) -> dict[str, Any]:
    """Return rules in the shape of pydantic's `json_schema_extra`."""
    return {RULES: list(each), **more}
