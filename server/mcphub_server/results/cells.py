"""A column's cells as plain JSON, none longer than its share.

Decisions are made per column where its kind is known. A cell that is too long ends
with CUT_MARK, so that neither model nor program takes a part for the whole.
"""

import re
from collections.abc import Callable, Sequence
from typing import Any

import msgspec

from mcphub_server.results.columns import ColumnKind
from mcphub_server.results.numbers import convert_float, convert_numeric
from mcphub_server.results.values import MAX_DEPTH, Json, convert_value

CUT_MARK = "…[cut]"

_STRINGS = re.compile(r'"(?:[^"\\]|\\.)*"')
_JSON = msgspec.json.Decoder(float_hook=convert_numeric)


def build_reader(kind: ColumnKind, max_bytes: int) -> Callable[[Any], Json]:
    """Return the function that reads one column's cells."""
    if kind is ColumnKind.PLAIN:
        return lambda value: value
    if kind is ColumnKind.FLOAT:
        return lambda value: value if value is None else convert_float(value)
    if kind is ColumnKind.NUMERIC:
        return lambda value: None if value is None else _read_numeric(value, max_bytes)
    if kind is ColumnKind.TEXT:
        return lambda value: None if value is None else cut_text(value, max_bytes)
    if kind is ColumnKind.JSON:
        return lambda value: None if value is None else _read_json(value, max_bytes)
    return lambda value: cut_value(convert_value(value), max_bytes)


def read_cells(
    rows: Sequence[Sequence[object]],
    kinds: Sequence[ColumnKind],
    columns: int,
    max_bytes: int,
) -> list[list[Json]]:
    """Return the rows as lists of plain JSON."""
    readers = [
        (i, build_reader(kind, max_bytes))
        for i, kind in enumerate(kinds or [ColumnKind.ANY] * columns)
        if kind is not ColumnKind.PLAIN
    ]
    read: list[list[Any]] = [list(row) for row in rows]
    for index, reader in readers:
        for row in read:
            row[index] = reader(row[index])
    return read


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


def _read_numeric(text: str, max_bytes: int) -> Json:
    return (
        convert_numeric(text) if len(text) <= max_bytes else cut_text(text, max_bytes)
    )


def _read_json(text: str, max_bytes: int) -> Json:
    if len(text) > max_bytes:
        return cut_text(text, max_bytes)
    if text.count("[") + text.count("{") > MAX_DEPTH and _is_deep(text):
        return text
    try:
        value: Json = _JSON.decode(text)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return text  # what JSON's readers cannot take, they can take as text
    return cut_value(value, max_bytes)


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
