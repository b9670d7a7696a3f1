"""Wrong arguments are told in the hub's own words, without what was given."""

from typing import Annotated, Any

import pytest
from pydantic import Field, TypeAdapter, ValidationError, create_model

from mcphub_server.config.tools import ItemsConfig, ParameterConfig
from mcphub_server.tools.declared.values import build_check
from mcphub_server.tools.problems import describe_problems

GIVEN = "canary-17"


def tell(check: Any, value: object) -> str:
    """Return what is said of one argument, `x`."""
    model = create_model("Arguments", x=(check, ...))
    with pytest.raises(ValidationError) as caught:
        model.model_validate({"x": value})
    told = str(describe_problems("t", caught.value))
    assert told.startswith("Invalid arguments for t: x")
    return told.removeprefix("Invalid arguments for t: ").removesuffix(".")


def declared(kind: str, **bounds: Any) -> Any:
    return build_check(ParameterConfig(name="x", type=kind, **bounds))


CASES = [
    pytest.param(declared("date"), GIVEN, "x: must be a date such as 2026-01-31"),
    pytest.param(
        declared("date"), "2026-13-45", "x: must be a date such as 2026-01-31"
    ),
    pytest.param(declared("date"), "20260131", "x: must be a date such as 2026-01-31"),
    pytest.param(
        declared("timestamp"),
        "yesterday",
        "x: must be a date with a time, such as 2026-01-31T12:00:00Z",
    ),
    pytest.param(declared("date"), 5, "x: must be a string"),
    pytest.param(declared("integer"), GIVEN, "x: must be a whole number"),
    pytest.param(declared("integer"), 1.5, "x: must be a whole number"),
    pytest.param(declared("integer"), True, "x: must be a number"),
    pytest.param(declared("integer", minimum=3), 2, "x: must be at least 3"),
    pytest.param(declared("number"), GIVEN, "x: must be a number"),
    pytest.param(declared("number"), [], "x: must be a number"),
    pytest.param(declared("boolean"), GIVEN, "x: must be true or false"),
    pytest.param(
        declared("string", maxLength=3), GIVEN, "x: must have at most 3 characters"
    ),
    pytest.param(
        declared("string", pattern="^a+$"), GIVEN, "x: must match the pattern ^a+$"
    ),
    pytest.param(declared("string", enum=["a", "b"]), GIVEN, "x: must be one of a, b"),
    pytest.param(
        declared("array", items=ItemsConfig(type="date")),
        ["2026-01-31", GIVEN],
        "x.1: must be a date such as 2026-01-31",
    ),
    pytest.param(
        declared("array", items=ItemsConfig(type="integer"), maxItems=1),
        [1, 2],
        "x: must have at most 1 entries",
    ),
    pytest.param(bool | list[str], 7, "x: must be true or false or be a list"),
    pytest.param(dict[str, Any], GIVEN, "x: must be an object"),
    pytest.param(Annotated[int, Field(ge=1)] | None, -1, "x: must be at least 1"),
    pytest.param(bytes, 5, "x: does not fit"),
]


@pytest.mark.parametrize(("check", "value", "told"), CASES)
def test_an_argument_is_told_what_it_takes(
    check: Any, value: object, told: str
) -> None:
    assert tell(check, value) == told


@pytest.mark.parametrize("value", [GIVEN, "\ud800", 10**400, {}, [[]], None])
@pytest.mark.parametrize(
    "kind", ["string", "integer", "number", "boolean", "date", "timestamp"]
)
def test_no_value_and_no_name_of_pythons_is_repeated(kind: str, value: object) -> None:
    try:
        TypeAdapter(declared(kind)).validate_python(value)
    except ValidationError:
        told = tell(declared(kind), value)
        assert GIVEN not in told
        assert "function-" not in told
        assert "isoformat" not in told
