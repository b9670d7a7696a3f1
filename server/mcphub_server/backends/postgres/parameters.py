"""JSON values as the Python values that asyncpg sends for a statement's $1, $2, ….

PostgreSQL says of which type each placeholder is, asyncpg takes that type's Python
values and no others, and JSON has neither dates nor decimals. Values travel beside
the statement and are never part of it; no message here repeats one.
"""

import json
import math
from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime, time
from decimal import Decimal
from typing import Protocol
from uuid import UUID

from mcphub_server.errors import BadArgument

Convert = Callable[[object], object]

# What asyncpg sends as infinity and -infinity.
_INFINITE_DATES = (date.min, date.max)
_INFINITE_MOMENTS = (datetime.min, datetime.max)  # noqa: DTZ901 -- without zone

_LARGEST_EXPONENT = 131_071
"""PostgreSQL's numeric has so many digits before the point, and one."""


class ParameterType(Protocol):
    """What a prepared statement says about a placeholder (asyncpg's Type)."""

    @property
    def name(self) -> str: ...
    @property
    def kind(self) -> str: ...
    @property
    def schema(self) -> str: ...


def convert_parameters(
    types: Sequence[ParameterType], values: Sequence[object]
) -> list[object]:
    """Return the values as asyncpg takes them.

    Raises:
        BadArgument: There are too few or too many, or one does not fit its type.
    """
    if len(types) != len(values):
        raise BadArgument(
            f"The statement has {len(types)} placeholders and parameters has "
            f"{len(values)} values; give one for each of $1, $2, …."
        )
    pairs = zip(types, values, strict=True)
    return [_convert(n, kind, value) for n, (kind, value) in enumerate(pairs, 1)]


def _convert(number: int, kind: ParameterType, value: object) -> object:
    name = kind.name
    try:
        if kind.kind == "array":
            return _read_list(value, _find(name.removesuffix("[]"), kind.schema))
        return None if value is None else _find(name, kind.schema)(value)
    except LookupError:
        raise BadArgument(
            f"The placeholder ${number} is of type {name}, for which no value can be "
            f"given; write ${number}::text::{name} and give its text."
        ) from None
    except (TypeError, ValueError, ArithmeticError, RecursionError):
        wanted = _WANTED.get(name, "a value that this type can hold")
        raise BadArgument(
            f"The value for ${number} does not fit its type {name}: give {wanted}."
        ) from None


def _find(name: str, schema: str) -> Convert:
    """Return the conversion; enums and types of extensions are given as text."""
    if schema != "pg_catalog":
        return _read_text
    return _BY_TYPE[name]


def _read_list(value: object, convert: Convert) -> object:
    if value is None:
        return None
    if isinstance(value, str) and value.lstrip().startswith("["):
        value = json.loads(value)
    if not isinstance(value, list):
        raise TypeError
    return [
        _read_list(item, convert)
        if isinstance(item, list)
        else (None if item is None else convert(item))
        for item in value
    ]


def _read_text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError
    value.encode()  # half a surrogate pair has no UTF-8
    return value


def _find_boolean(text: str) -> bool:
    if text.lower() not in {"true", "false"}:
        raise ValueError
    return text.lower() == "true"


def _read_boolean(value: object) -> bool:
    if isinstance(value, str):
        return _find_boolean(value)
    if not isinstance(value, bool):
        raise TypeError
    return value


def _whole(lowest: int, highest: int) -> Convert:
    def read(value: object) -> int:
        if isinstance(value, bool) or not isinstance(value, int | float | str):
            raise TypeError
        number = int(value)  # results carry large numbers as text, so take them so
        if isinstance(value, float) and number != value:
            raise ValueError
        if not lowest <= number <= highest:
            raise ValueError
        return number

    return read


def _signed(bits: int) -> Convert:
    return _whole(-(1 << (bits - 1)), (1 << (bits - 1)) - 1)


def _read_float(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise TypeError
    return float(value)


def _read_single(value: object) -> float:
    number = _read_float(value)
    if math.isfinite(number) and abs(number) > 3.4e38:  # noqa: PLR2004 -- float4
        raise ValueError
    return number


def _read_decimal(value: object) -> Decimal:
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise TypeError
    number = Decimal(str(value))
    if number.is_finite() and number.adjusted() > _LARGEST_EXPONENT:
        raise ValueError  # asyncpg would send it as 0
    return number


def _read_date(value: object) -> date:
    day = date.fromisoformat(_read_text(value))
    if day in _INFINITE_DATES:
        raise ValueError
    return day


def _read_moment(value: object) -> datetime:
    moment = datetime.fromisoformat(_read_text(value))
    if moment.tzinfo is not None or moment in _INFINITE_MOMENTS:
        raise ValueError
    return moment


def _read_zoned_moment(value: object) -> datetime:
    moment = datetime.fromisoformat(_read_text(value))
    if moment.tzinfo is None:
        raise ValueError
    return moment


def _read_time(value: object) -> time:
    moment = time.fromisoformat(_read_text(value))
    if moment.tzinfo is not None:
        raise ValueError
    return moment


def _read_bytes(value: object) -> bytes:
    text = _read_text(value)
    if not text.startswith("\\x"):
        raise ValueError
    return bytes.fromhex(text[2:])


def _read_json(value: object) -> str:
    """Return JSON text: of a text that is JSON itself, of other values their JSON."""
    if isinstance(value, str):
        try:
            json.loads(value, parse_constant=_refuse_constant)
        except ValueError:
            return json.dumps(value)
        return value
    return json.dumps(value, allow_nan=False)


def _refuse_constant(name: str) -> object:
    raise ValueError(name)  # Python reads NaN and Infinity, which JSON has not


_BY_TYPE: Mapping[str, Convert] = {
    **dict.fromkeys(("text", "varchar", "bpchar", "name", "unknown"), _read_text),
    "bool": _read_boolean,
    "int2": _signed(16),
    "int4": _signed(32),
    "int8": _signed(64),
    "oid": _whole(0, (1 << 32) - 1),
    "float4": _read_single,
    "float8": _read_float,
    "numeric": _read_decimal,
    "date": _read_date,
    "timestamp": _read_moment,
    "timestamptz": _read_zoned_moment,
    "time": _read_time,
    "uuid": lambda value: UUID(_read_text(value)),
    "json": _read_json,
    "jsonb": _read_json,
    "bytea": _read_bytes,
}

_WANTED: Mapping[str, str] = {
    **dict.fromkeys(("text", "varchar", "bpchar", "name"), "a string"),
    **dict.fromkeys(("int2", "int4", "int8", "oid"), "a whole number in its range"),
    **dict.fromkeys(("float4", "float8", "numeric"), "a number"),
    "bool": "true or false",
    **dict.fromkeys(("json", "jsonb"), "a JSON document, as such or as its text"),
    "date": "a string such as 2026-01-31; for 0001-01-01 and 9999-12-31 write"
    " $1::text::date",
    "timestamp": "a string such as 2026-01-31T12:00:00, without a time zone",
    "timestamptz": "a string with its time zone, such as 2026-01-31T12:00:00Z",
    "time": "a string such as 12:00:00",
    "uuid": "a UUID as a string",
    "bytea": "a string of hexadecimal digits after \\x",
}
