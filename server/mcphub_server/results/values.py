r"""Any value of a driver as plain JSON: null, boolean, number, string, list, object.

Types that only a driver knows are found by the name of their module, never by an
import: importing the three drivers costs as much memory as the rest of the server.
Bytes are PostgreSQL's hexadecimal text (\x6869), times are ISO 8601, a set is a
sorted list. Nesting is cut at MAX_DEPTH, for readers recurse.
"""

import datetime as dt
import enum
import ipaddress
import math
import uuid
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

from mcphub_server.results.driver_values import find_converter
from mcphub_server.results.numbers import (
    convert_decimal,
    convert_float,
    convert_integer,
)

Json = None | bool | int | float | str | list[Any] | dict[str, Any]

MAX_DEPTH = 60
TOO_DEEP = "[nested too deeply]"


def convert_value(value: Any, depth: int = 0) -> Json:
    """Return a value as plain JSON; an unknown type becomes its name."""
    converter = _CONVERTERS.get(type(value))
    if converter is not None:
        return converter(value, depth)
    return _convert_unusual(value, depth)


def _convert_unusual(value: Any, depth: int) -> Json:
    if depth >= MAX_DEPTH:
        return TOO_DEEP
    simplify = find_converter(type(value))
    if simplify is not None:
        return convert_value(simplify(value), depth + 1)
    for kind, converter in _SUBCLASSES:
        if isinstance(value, kind):
            return converter(value, depth)
    return f"[{type(value).__name__}]"


def _convert_list(value: Any, depth: int) -> Json:
    if depth >= MAX_DEPTH:
        return TOO_DEEP
    return [convert_value(item, depth + 1) for item in value]


def _convert_mapping(value: Mapping[Any, Any], depth: int) -> Json:
    if depth >= MAX_DEPTH:
        return TOO_DEEP
    return {
        key if type(key) is str else _spell_key(key): convert_value(item, depth + 1)
        for key, item in value.items()
    }


def _spell_key(key: Any) -> str:
    converted = convert_value(key)
    return converted if isinstance(converted, str) else str(converted)


def _convert_set(value: Any, depth: int) -> Json:
    items = _convert_list(value, depth)
    return sorted(items, key=str) if isinstance(items, list) else items


def _convert_timedelta(value: dt.timedelta, _: int) -> str:
    sign = "-" if value < dt.timedelta() else ""
    value = abs(value)
    micros = f".{value.microseconds:06d}" if value.microseconds else ""
    return f"{sign}P{value.days}DT{value.seconds}{micros}S"


def _as_it_is(value: Any, _: int) -> Json:
    return value  # type: ignore[no-any-return]


def _as_text(value: Any, _: int) -> str:
    return str(value)


def _as_iso(value: Any, _: int) -> str:
    return str(value.isoformat())


def _as_hex(value: Any, _: int) -> str:
    return "\\x" + bytes(value).hex()


def _as_float(value: float, _: int) -> float | str:
    return value if math.isfinite(value) else convert_float(value)


_CONVERTERS: dict[type, Callable[[Any, int], Json]] = {
    type(None): _as_it_is,
    bool: _as_it_is,
    str: _as_it_is,
    int: lambda value, _: convert_integer(value),
    float: _as_float,
    Decimal: lambda value, _: convert_decimal(value),
    list: _convert_list,
    tuple: _convert_list,
    set: _convert_set,
    frozenset: _convert_set,
    dict: _convert_mapping,
    bytes: _as_hex,
    bytearray: _as_hex,
    memoryview: _as_hex,
    dt.date: _as_iso,
    dt.datetime: _as_iso,
    dt.time: _as_iso,
    dt.timedelta: _convert_timedelta,
    uuid.UUID: _as_text,
    ipaddress.IPv4Address: _as_text,
    ipaddress.IPv6Address: _as_text,
    ipaddress.IPv4Network: _as_text,
    ipaddress.IPv6Network: _as_text,
    ipaddress.IPv4Interface: _as_text,
    ipaddress.IPv6Interface: _as_text,
}

_SUBCLASSES: tuple[tuple[type, Callable[[Any, int], Json]], ...] = (
    (enum.Enum, lambda value, depth: convert_value(value.value, depth + 1)),
    (str, lambda value, _: str.__str__(value)),
    (int, lambda value, _: convert_integer(int(value))),
    (float, lambda value, _: _as_float(float(value), 0)),
    (uuid.UUID, _as_text),
    (dt.datetime, _as_iso),
    (dt.date, _as_iso),
    (Mapping, _convert_mapping),
    (list, _convert_list),
    (tuple, _convert_list),
)
