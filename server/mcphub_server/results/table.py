"""A page of rows as the one JSON shape that every query tool answers with.

Columns and rows, because that keeps duplicate names and costs four fifths of the
tokens of objects. The result is fitted to its byte limit: cells first, then rows,
and whatever was left out shows in `truncated`.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from mcphub_server.results.cells import CUT_MARK, encode_json, read_cells
from mcphub_server.results.columns import ColumnKind
from mcphub_server.results.rows import FittedRows, encode_rows
from mcphub_server.results.written import WrittenRows, encode_written

MAX_CELL_BYTES = 32_768
_MARK = CUT_MARK.encode()
_ENVELOPE_BYTES = 512  # row_count, truncated, next_cursor and the keys


@dataclass(frozen=True, slots=True)
class Page:
    """Rows as they came from a driver.

    Attributes:
        columns: Their names; duplicates stay.
        rows: Their values or their JSON, at most as many as the page may have.
        truncated: There are further rows.
        kinds: What each column holds; empty: judged cell by cell.
    """

    columns: tuple[str, ...]
    rows: Sequence[Sequence[object]] | WrittenRows
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
    fitted = _encode_rows(page, room, max(min(max_cell_bytes, room), 1))
    count, encoded = fitted.count, fitted.encoded
    more = page.truncated or count < len(page.rows)
    cursor = cursor_after(count) if cursor_after and more else None
    truncated = more or fitted.is_cut or _MARK in encoded
    rest = {"row_count": count, "truncated": truncated, "next_cursor": cursor}
    # The rows are encoded once; the rest is put around them.
    text = b'{"columns":%b,"rows":%b,%b' % (names, encoded, encode_json(rest)[1:])
    return EncodedPage(text.decode(), count, truncated)


def _encode_rows(page: Page, room: int, max_cell_bytes: int) -> FittedRows:
    if isinstance(page.rows, WrittenRows):
        return encode_written(page.rows, page.kinds, room, max_cell_bytes)
    rows = read_cells(page.rows, page.kinds, len(page.columns), max_cell_bytes)
    return encode_rows(rows, room)


def encode_object(
    value: dict[str, Any], row_count: int = 1, *, truncated: bool = False
) -> EncodedPage:
    """Encode any plain result, such as a table's description."""
    return EncodedPage(encode_json(value).decode(), row_count, truncated)
