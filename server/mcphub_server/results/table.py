"""A page of rows as the one JSON shape that every query tool answers with.

Columns and rows, because that keeps duplicate names and costs four fifths of the
tokens of objects. The result is fitted to its byte limit: cells first, then rows,
and whatever was left out shows in `truncated`.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from mcphub_server.results.cells import (
    CUT_MARK,
    cut_value,
    encode_json,
    read_cells,
)
from mcphub_server.results.columns import ColumnKind

MAX_CELL_BYTES = 32_768
_MARK = CUT_MARK.encode()
_MIN_CELL_BYTES = 8
_ENVELOPE_BYTES = 512  # row_count, truncated, next_cursor and the keys


@dataclass(frozen=True, slots=True)
class Page:
    """Rows as they came from a driver.

    Attributes:
        columns: Their names; duplicates stay.
        rows: Their values, at most as many as the page may have.
        truncated: There are further rows.
        kinds: What each column holds; empty: judged cell by cell.
    """

    columns: tuple[str, ...]
    rows: Sequence[Sequence[object]]
    truncated: bool = False
    kinds: tuple[ColumnKind, ...] = ()


@dataclass(frozen=True, slots=True)
class EncodedPage:
    """One result as JSON text."""

    text: str
    row_count: int
    truncated: bool


def encode_page(
    page: Page,
    max_bytes: int,
    cursor_after: Callable[[int], str] | None = None,
    max_cell_bytes: int = MAX_CELL_BYTES,
) -> EncodedPage:
    """Encode a page into at most about `max_bytes` bytes.

    `cursor_after` gets the number of rows that fitted and returns the cursor of the
    row behind them; it is asked only if there are rows left.
    """
    names = encode_json(list(page.columns))
    room = max(max_bytes - _ENVELOPE_BYTES - len(names), 0)
    rows = read_cells(
        page.rows, page.kinds, len(page.columns), max(min(max_cell_bytes, room), 1)
    )
    encoded = encode_json(rows)
    fitting = rows if len(encoded) <= room else fit_rows(rows, room)
    more = page.truncated or len(fitting) < len(rows)
    cursor = cursor_after(len(fitting)) if cursor_after and more else None
    truncated = more or fitting is not rows or _MARK in encoded
    if fitting is not rows:
        encoded = encode_json(fitting)
    rest = {"row_count": len(fitting), "truncated": truncated, "next_cursor": cursor}
    # The rows are encoded once; the rest is put around them.
    text = b'{"columns":%b,"rows":%b,%b' % (names, encoded, encode_json(rest)[1:])
    return EncodedPage(text.decode(), len(fitting), truncated)


def fit_rows(rows: list[list[Any]], room: int) -> list[list[Any]]:
    """Return the leading rows whose JSON fits; the first always, if need be cut."""
    used = 2
    for count, row in enumerate(rows):
        used += len(encode_json(row)) + 1
        if used > room:
            return rows[:count] if count else [_cut_row(row, room)]
    return rows


def _cut_row(row: list[Any], room: int) -> list[Any]:
    share = max((room - 2) // max(len(row), 1) - len(CUT_MARK) - 8, _MIN_CELL_BYTES)
    cut = [cut_value(cell, share) for cell in row]
    while len(encode_json(cut)) > room and share > _MIN_CELL_BYTES:
        share //= 2  # escapes make JSON longer than its text
        cut = [cut_value(cell, share) for cell in row]
    return cut


def encode_object(
    value: dict[str, Any], row_count: int = 1, *, truncated: bool = False
) -> EncodedPage:
    """Encode any plain result, such as a table's description."""
    return EncodedPage(encode_json(value).decode(), row_count, truncated)
