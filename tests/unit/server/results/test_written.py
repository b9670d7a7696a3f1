"""Rows that the database wrote as JSON, made into a page."""

import json

import pytest

from mcphub_server.results.cells import CUT_MARK
from mcphub_server.results.columns import ColumnKind
from mcphub_server.results.table import Page, encode_page
from mcphub_server.results.written import WrittenRows

TEXT, NUMERIC = ColumnKind.TEXT, ColumnKind.NUMERIC


def encode(rows, kinds, max_bytes=10_000, **options):
    columns = tuple("abcdefgh"[: len(kinds)])
    encoded = encode_page(Page(columns, rows, kinds=kinds), max_bytes, **options)
    return encoded.text, json.loads(encoded.text)


def test_rows_are_copied_as_they_came():
    rows = WrittenRows(["[1.50,  null]", '["ä"]'], [False, False], 100)

    text, _ = encode(rows, (TEXT,))

    assert '"rows":[[1.50,  null],["ä"]]' in text


@pytest.mark.parametrize(
    ("kind", "given", "expected"),
    [
        (TEXT, '"éé"', "é" + CUT_MARK),
        (NUMERIC, '"0.5000000000000000000"', "0.50" + CUT_MARK),
        (ColumnKind.FLOAT, '"NaN"', "NaN"),
        (ColumnKind.PLAIN, "9223372036854775807", 9223372036854775807),
        (TEXT, "null", None),
    ],
)
def test_the_cells_of_a_rough_row_are_cut(kind, given, expected):
    rows = WrittenRows([f"[{given}]"], [True], 4 if kind is NUMERIC else 3)

    _, page = encode(rows, (kind,), max_cell_bytes=rows.max_cell_bytes)

    assert page["rows"] == [[expected]]


@pytest.mark.parametrize(
    ("digits", "expected"),
    [
        ("0.5000000000000000000", 0.5),
        ("18446744073709551615", 18446744073709551615),
        ("18446744073709551616", "18446744073709551616"),
        ("0.1234567890123456", "0.1234567890123456"),
    ],
)
def test_a_long_number_stays_exact(digits, expected):
    rows = WrittenRows([f'["{digits}"]'], [True], 100)

    _, page = encode(rows, (NUMERIC,))

    assert page["rows"] == [[expected]]


def test_rows_that_do_not_fit_are_left_for_the_next_page():
    rows = WrittenRows([f"[{n}]" for n in range(1_000)], [False] * 1_000, 100)

    text, page = encode(rows, (TEXT,), 1_000, cursor_after=str)

    assert len(text.encode()) <= 1_000
    assert page["rows"] == [[n] for n in range(page["row_count"])]
    assert page["next_cursor"] == str(page["row_count"])
    assert page["truncated"]


def test_the_first_row_is_cut_if_it_does_not_fit():
    row = json.dumps(["x" * 5_000] * 8)

    text, page = encode(WrittenRows([row], [False], 8_000), (TEXT,) * 8, 2_000)

    assert all(cell.endswith(CUT_MARK) for cell in page["rows"][0])
    assert len(text.encode()) <= 2_000


def test_no_rows_need_no_room():
    _, page = encode(WrittenRows([], [], 100), (TEXT,), 1)

    assert page["rows"] == []
    assert not page["truncated"]
