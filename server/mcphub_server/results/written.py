"""Rows that the database wrote as JSON.

They are copied into the answer as they came, except for the few with a cell of which
only Python knows the end: a text to be cut, a number of many digits.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import msgspec

from mcphub_server.results.cells import cut_text, encode_json, read_numeric
from mcphub_server.results.columns import ColumnKind
from mcphub_server.results.rows import FittedRows, join_fitting
from mcphub_server.results.values import Json


@dataclass(frozen=True, slots=True)
class WrittenRows:
    """Rows as JSON lists.

    Attributes:
        texts: One list for each row.
        are_rough: Whether a row has a cell of more than `max_cell_bytes` bytes, or a
            decimal number as a string that may have to be a number.
        max_cell_bytes: What the cells of all other rows keep.
    """

    texts: Sequence[str]
    are_rough: Sequence[bool]
    max_cell_bytes: int

    def __len__(self) -> int:
        return len(self.texts)


def encode_written(
    rows: WrittenRows, kinds: Sequence[ColumnKind], room: int, max_cell_bytes: int
) -> FittedRows:
    """Return the rows that fit into `room` bytes, with no cell above its limit."""
    if max_cell_bytes < rows.max_cell_bytes or any(rows.are_rough):
        texts = [
            _finish_row(text, kinds, max_cell_bytes)
            if is_rough or len(text) > max_cell_bytes
            else text
            for text, is_rough in zip(rows.texts, rows.are_rough, strict=True)
        ]
    else:
        texts = list(rows.texts)
    encoded = f"[{','.join(texts)}]".encode()
    if len(encoded) <= room or not texts:
        return FittedRows(encoded, len(texts), is_cut=False)
    first = msgspec.json.decode(texts[0])
    return join_fitting([text.encode() for text in texts], first, room)


def _finish_row(text: str, kinds: Sequence[ColumnKind], max_bytes: int) -> str:
    cells = zip(msgspec.json.decode(text), kinds, strict=True)
    finished = [_finish_cell(cell, kind, max_bytes) for cell, kind in cells]
    return encode_json(finished).decode()


def _finish_cell(cell: Json, kind: ColumnKind, max_bytes: int) -> Json:
    if not isinstance(cell, str):
        return cell
    if kind is ColumnKind.NUMERIC:
        return read_numeric(cell, max_bytes)
    return cut_text(cell, max_bytes)
