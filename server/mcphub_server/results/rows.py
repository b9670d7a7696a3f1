"""Rows as JSON that fits into the bytes that a page has for them.

The first row is always given, if need be with its cells cut; the others only whole.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from mcphub_server.results.cells import CUT_MARK, cut_value, encode_json

_MIN_CELL_BYTES = 8


@dataclass(frozen=True, slots=True)
class FittedRows:
    """The leading rows of a page that fit.

    Attributes:
        encoded: A JSON list of them.
        count: How many they are.
        is_cut: Rows were left out, or the only one was cut.
    """

    encoded: bytes
    count: int
    is_cut: bool


def encode_rows(rows: Sequence[Sequence[Any]], room: int) -> FittedRows:
    """Encode rows of plain JSON into at most `room` bytes."""
    encoded = encode_json(rows)  # all at once is cheaper than one by one
    if len(encoded) <= room or not rows:
        return FittedRows(encoded, len(rows), is_cut=False)
    return join_fitting([encode_json(row) for row in rows], rows[0], room)


def join_fitting(
    encoded: Sequence[bytes], first: Sequence[Any], room: int
) -> FittedRows:
    """Return the leading rows that fit, of rows that do not fit all.

    Args:
        encoded: The JSON of each row.
        first: The cells of the first row.
        room: The bytes for all rows.
    """
    used, count = 1, 0
    for row in encoded:
        used += len(row) + 1
        if used > room:
            break
        count += 1
    if count:
        return FittedRows(_join(encoded[:count]), count, is_cut=True)
    return FittedRows(_join([_encode_cut(first, room)]), 1, is_cut=True)


def _join(encoded: Sequence[bytes]) -> bytes:
    return b"[%b]" % b",".join(encoded)


def _encode_cut(row: Sequence[Any], room: int) -> bytes:
    share = max((room - 2) // max(len(row), 1) - len(CUT_MARK) - 8, _MIN_CELL_BYTES)
    encoded = encode_json([cut_value(cell, share) for cell in row])
    while len(encoded) > room and share > _MIN_CELL_BYTES:
        share //= 2  # escapes make JSON longer than its text
        encoded = encode_json([cut_value(cell, share) for cell in row])
    return encoded
