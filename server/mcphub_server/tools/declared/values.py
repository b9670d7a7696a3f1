"""The types of declared parameters: how each is checked, and how its schema reads.

A value stays what JSON makes of it; the kind of backend turns it into its driver's.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Annotated, Any, cast

from pydantic import AfterValidator, BeforeValidator, Field

from mcphub_server.config.tools import ItemsConfig, ParameterConfig, ParameterType
from mcphub_server.tools.problems import readable

LARGEST_INTEGER = 2**63 - 1


@dataclass(frozen=True, slots=True)
class TypeRule:
    """One type: what pydantic checks, what JSON Schema says, and how a text is read.

    Attributes:
        check: The annotation without bounds.
        schema: JSON Schema without bounds.
        read: Turns the text of a default or of an enum's entry into a value.
    """

    check: Any
    schema: Mapping[str, Any]
    read: Callable[[str], object] = str


def refuse_boolean(value: object) -> object:
    """Refuse true as a number, which Python takes for 1."""
    if isinstance(value, bool):
        raise ValueError("must be a number")  # noqa: TRY004 -- pydantic's protocol
    return value


def read_date(text: str) -> str:
    """Check a date as 2026-01-31."""
    if date.fromisoformat(text).isoformat() != text:
        raise ValueError
    return text


def read_timestamp(text: str) -> str:
    """Check a moment; without a zone it is UTC."""
    moment = datetime.fromisoformat(text)
    return text if moment.tzinfo is not None else f"{text}+00:00"


check_date = readable(read_date, "must be a date such as 2026-01-31")
check_timestamp = readable(
    read_timestamp, "must be a date with a time, such as 2026-01-31T12:00:00Z"
)


def read_number(text: str) -> float:
    """Read a finite number."""
    number = float(text)
    if not math.isfinite(number):
        raise ValueError("must be a finite number")
    return number


def read_boolean(text: str) -> bool:
    """Read true or false."""
    if text not in {"true", "false"}:
        raise ValueError("must be true or false")
    return text == "true"


TYPES: Mapping[str, TypeRule] = {
    "string": TypeRule(str, {"type": "string"}),
    "integer": TypeRule(
        Annotated[
            int,
            BeforeValidator(refuse_boolean),
            Field(ge=-LARGEST_INTEGER - 1, le=LARGEST_INTEGER),
        ],
        {"type": "integer"},
        int,
    ),
    "number": TypeRule(
        Annotated[
            int | Annotated[float, Field(allow_inf_nan=False)],
            BeforeValidator(refuse_boolean),
        ],
        {"type": "number"},
        read_number,
    ),
    "boolean": TypeRule(bool, {"type": "boolean"}, read_boolean),
    "date": TypeRule(
        Annotated[str, AfterValidator(check_date)],
        {"type": "string", "format": "date"},
        check_date,
    ),
    "timestamp": TypeRule(
        Annotated[str, AfterValidator(check_timestamp)],
        {"type": "string", "format": "date-time"},
        check_timestamp,
    ),
}

SAMPLES: Mapping[str, object] = {
    "string": "",
    "integer": 1,
    "number": 1.0,
    "boolean": True,
    "date": "2026-01-31",
    "timestamp": "2026-01-31T00:00:00+00:00",
}
"""Values with which a database is asked about a statement."""

_annotate: Any = Annotated
"""Annotations that are made while the server runs, which no type checker can follow."""

Bounded = ParameterConfig | ItemsConfig


def build_check(given: Bounded) -> Any:
    """Return the annotation by which pydantic checks a parameter's value."""
    if isinstance(given, ParameterConfig) and given.items is not None:
        bounds = Field(min_length=given.min_items, max_length=given.max_items)
        items = build_check(given.items)
        return _annotate[cast("Any", list)[items], bounds]
    bounds = Field(
        ge=given.minimum,
        le=given.maximum,
        min_length=given.min_length,
        max_length=given.max_length,
        pattern=given.pattern or None,
    )
    checks: list[object] = [bounds]
    if choices := read_choices(given):
        checks.append(AfterValidator(build_choice(choices)))
    return _annotate[(TYPES[given.type].check, *checks)]


def find_sample(parameter: ParameterConfig) -> object:
    """Return a value of a parameter's type."""
    if parameter.items is not None:
        return [SAMPLES[parameter.items.type]]
    return SAMPLES[parameter.type]


def build_choice(choices: tuple[object, ...]) -> Callable[[object], object]:
    """Return a check that a value is one of a list."""

    def choose(value: object) -> object:
        if value not in choices:
            raise ValueError(f"must be one of {', '.join(map(str, choices))}")
        return value

    return choose


def build_schema(given: Bounded) -> dict[str, Any]:
    """Return the JSON Schema of a parameter's value."""
    if isinstance(given, ParameterConfig) and given.items is not None:
        items = build_schema(given.items)
        lengths = {"minItems": given.min_items, "maxItems": given.max_items}
        return {"type": "array", "items": items, **_given(lengths)}
    bounds: dict[str, Any] = {
        "enum": list(read_choices(given)) or None,
        "minimum": _plain(given.minimum),
        "maximum": _plain(given.maximum),
        "minLength": given.min_length,
        "maxLength": given.max_length,
        "pattern": given.pattern or None,
    }
    return {**TYPES[given.type].schema, **_given(bounds)}


def read_choices(given: Bounded) -> tuple[object, ...]:
    """Return the values of an enum; raise ValueError if one does not fit the type."""
    return tuple(read_written(given.type, value) for value in given.enum)


def read_written(kind: str, value: int | str) -> object:
    """Return a value that the resource writes as a whole number or as text."""
    if kind == ParameterType.ARRAY:
        raise ValueError("an array takes no default")
    if isinstance(value, int):
        if kind not in {"integer", "number"}:
            raise ValueError(f"{value} is no {kind}")
        return value
    return TYPES[kind].read(value)


def _given(bounds: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in bounds.items() if value is not None}


def _plain(bound: float | None) -> int | float | None:
    return int(bound) if bound is not None and bound.is_integer() else bound
