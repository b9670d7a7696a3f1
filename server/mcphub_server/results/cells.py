"""A column's cells as plain JSON, none longer than its share.

Decisions are made per column where its kind is known. A cell that is too long ends
with CUT_MARK, so that neither model nor program takes a part for the whole.
"""

import json
import math
import re
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import Any

import msgspec

from mcphub_server.results.columns import ColumnKind
from mcphub_server.results.numbers import (
    SAFE_DIGITS,
    convert_float,
    convert_integer,
    convert_numeric,
)
from mcphub_server.results.values import MAX_DEPTH, Json, convert_value

CUT_MARK = "…[cut]"

_STRINGS = re.compile(r'"(?:[^"\\]|\\.)*"')
_NEGATIVE_ZERO = re.compile(r'"(?:[^"\\]|\\.)*"|-0(?![\d.eE])')
_LONG_INTEGER = re.compile(r"\d{19}")
_JSON = msgspec.json.Decoder(float_hook=convert_numeric)
_FLOATS = msgspec.json.Decoder()


def read_cells(
    rows: Sequence[Sequence[object]],
    kinds: Sequence[ColumnKind],
    columns: int,
    max_bytes: int,
) -> list[list[Json]]:
    """Return the rows as lists of plain JSON.

    Works column by column: a loop over cells of one kind costs a third of one that
    asks each cell what it is.
    """
    if not rows or not columns:
        return [[] for _ in rows]
    cells: list[Any] = list(zip(*rows, strict=True))
    for index, kind in enumerate(kinds or [ColumnKind.ANY] * columns):
        cells[index] = _READERS[kind](cells[index], max_bytes)
    return list(map(list, zip(*cells, strict=True)))


def _read_plain(cells: Sequence[Any], _: int) -> Sequence[Json]:
    return cells


def _read_floats(cells: Sequence[Any], _: int) -> Sequence[Json]:
    return [v if v is None or math.isfinite(v) else convert_float(v) for v in cells]


def _read_texts(cells: Sequence[Any], cap: int) -> Sequence[Json]:
    # A column of short plain texts without a NULL needs no look at each.
    with suppress(TypeError):
        if max(map(len, cells)) <= cap and "".join(cells).isascii():
            return cells
    return [
        v if v is None or (len(v) <= cap and v.isascii()) else cut_text(v, cap)
        for v in cells
    ]


def _read_numerics(cells: Sequence[Any], cap: int) -> Sequence[Json]:
    # The first case is all of ordinary money: short, with a point, so no NaN.
    return [
        None
        if v is None
        else float(v)
        if len(v) <= SAFE_DIGITS and "." in v
        else read_numeric(v, cap)
        for v in cells
    ]


def _read_jsons(cells: Sequence[Any], cap: int) -> Sequence[Json]:
    return [None if v is None else _read_json(v, cap, _JSON) for v in cells]


def _read_written_jsons(cells: Sequence[Any], cap: int) -> Sequence[Json]:
    return [
        None
        if v is None
        else cut_text(v, cap)
        if repeats_key(v)
        else _read_json(v, cap, _JSON)
        for v in cells
    ]


def _read_float_lists(cells: Sequence[Any], cap: int) -> Sequence[Json]:
    return [None if v is None else _read_json(v, cap, _FLOATS) for v in cells]


def _read_anything(cells: Sequence[Any], cap: int) -> Sequence[Json]:
    return [cut_value(convert_value(v), cap) for v in cells]


_READERS: Mapping[ColumnKind, Callable[[Sequence[Any], int], Sequence[Json]]] = {
    ColumnKind.PLAIN: _read_plain,
    ColumnKind.FLOAT: _read_floats,
    ColumnKind.NUMERIC: _read_numerics,
    ColumnKind.TEXT: _read_texts,
    ColumnKind.JSON: _read_jsons,
    ColumnKind.WRITTEN_JSON: _read_written_jsons,
    ColumnKind.FLOATS: _read_float_lists,
    ColumnKind.ANY: _read_anything,
}


def cut_text(text: str, max_bytes: int) -> str:
    """Return a text of at most `max_bytes` bytes; a cut one ends with CUT_MARK."""
    if len(text) <= max_bytes:
        if text.isascii():
            return text
        if len(text.encode(errors="surrogatepass")) <= max_bytes:
            return text
    kept = text[:max_bytes].encode(errors="surrogatepass")[:max_bytes]
    return kept.decode(errors="ignore") + CUT_MARK


def cut_value(value: Json, max_bytes: int) -> Json:
    """Return a value whose JSON has at most about `max_bytes` bytes."""
    if isinstance(value, str):
        return cut_text(value, max_bytes)
    if isinstance(value, (list, dict)) and value:
        text = encode_json(value)
        if len(text) > max_bytes:
            return text[:max_bytes].decode(errors="ignore") + CUT_MARK
    return value


def encode_json(value: Any) -> bytes:
    """Encode plain JSON; half a surrogate pair, which no UTF-8 has, becomes �."""
    try:
        return msgspec.json.encode(value)
    except UnicodeEncodeError:
        return msgspec.json.encode(replace_surrogates(value))


def replace_surrogates(value: Any) -> Any:
    """Return plain JSON with each half of a surrogate pair as U+FFFD."""
    if isinstance(value, str):
        return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    if isinstance(value, list):
        return [replace_surrogates(item) for item in value]
    if isinstance(value, dict):
        return {replace_surrogates(k): replace_surrogates(v) for k, v in value.items()}
    return value


def read_numeric(text: str, max_bytes: int) -> Json:
    """Return a decimal number's text as a number where that is exact, else cut."""
    return (
        convert_numeric(text) if len(text) <= max_bytes else cut_text(text, max_bytes)
    )


def _read_json(text: str, max_bytes: int, decoder: msgspec.json.Decoder[Any]) -> Json:
    if len(text) > max_bytes:
        return cut_text(text, max_bytes)
    if text.count("[") + text.count("{") > MAX_DEPTH and _is_deep(text):
        return text
    if "-0" in text:
        text = _NEGATIVE_ZERO.sub(_spell_negative_zero, text)
    try:
        value: Json = decoder.decode(text)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return text  # what JSON's readers cannot take, they can take as text
    if _LONG_INTEGER.search(text):
        value = _spell_long_integers(value)
    return cut_value(value, max_bytes)


def _spell_negative_zero(found: re.Match[str]) -> str:
    """Return what a decoder reads as a number with a sign; strings stay."""
    return "-0.0" if found.group() == "-0" else found.group()


def repeats_key(text: str) -> bool:
    """Tell whether an object in a JSON text has a key twice: a decoder keeps one."""
    if text.count(":") < 2:  # noqa: PLR2004 -- two keys
        return False
    try:
        json.loads(text, object_pairs_hook=_refuse_repeated)
    except _RepeatedKeyError:
        return True
    except (ValueError, RecursionError):
        return False  # it becomes text anyway
    return False


class _RepeatedKeyError(Exception):
    """An object has a key twice."""


def _refuse_repeated(pairs: list[tuple[str, Json]]) -> None:
    if len({key for key, _ in pairs}) < len(pairs):
        raise _RepeatedKeyError


def _spell_long_integers(value: Json) -> Json:
    if isinstance(value, list):
        return [_spell_long_integers(item) for item in value]
    if isinstance(value, dict):
        return {key: _spell_long_integers(item) for key, item in value.items()}
    return convert_integer(value) if isinstance(value, int) else value


def _is_deep(text: str) -> bool:
    depth = 0
    for character in _STRINGS.sub("", text):
        if character in "[{":
            depth += 1
            if depth > MAX_DEPTH:
                return True
        elif character in "]}":
            depth -= 1
    return False
