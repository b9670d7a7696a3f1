"""A page fits its limits, and says so where it had to be cut."""

import json

import pytest

from mcphub_server.results.cells import CUT_MARK, cut_text
from mcphub_server.results.columns import ColumnKind
from mcphub_server.results.table import Page, encode_object, encode_page
from tests.support.effort import at_most


def encode(page, max_bytes=100_000, **options):
    encoded = encode_page(page, max_bytes, **options)
    return encoded, json.loads(encoded.text)


def test_a_page_has_columns_and_rows():
    _, result = encode(Page(("a", "a"), [(1, "x"), (None, True)]))

    assert result == {
        "columns": ["a", "a"],
        "rows": [[1, "x"], [None, True]],
        "row_count": 2,
        "truncated": False,
        "next_cursor": None,
    }


def test_an_empty_result_is_one():
    _, result = encode(Page((), []))

    assert result["rows"] == []
    assert not result["truncated"]


def test_a_long_cell_is_cut_and_marked():
    encoded, result = encode(Page(("a",), [("x" * 50_000,)]))

    assert result["rows"][0][0].endswith(CUT_MARK)
    assert len(result["rows"][0][0].encode()) <= 32_768 + len(CUT_MARK.encode())
    assert encoded.truncated


def test_a_long_list_in_a_cell_is_cut_as_text():
    _, result = encode(Page(("a",), [(list(range(100_000)),)]))

    assert result["rows"][0][0].startswith("[0,1,2")
    assert result["rows"][0][0].endswith(CUT_MARK)


def test_rows_beyond_the_byte_limit_are_left_for_the_next_page():
    page = Page(("a",), [("x" * 100,)] * 1_000)

    encoded, result = encode(page, 10_000, cursor_after=lambda rows: f"after {rows}")

    assert len(encoded.text.encode()) <= 10_000
    assert 80 <= result["row_count"] < 1_000
    assert result["truncated"]
    assert result["next_cursor"] == f"after {result['row_count']}"


def test_no_cursor_is_made_when_everything_fitted():
    _, result = encode(Page(("a",), [(1,)]), cursor_after=lambda _: "x")

    assert result["next_cursor"] is None


def test_further_rows_make_a_cursor_behind_those_given():
    page = Page(("a",), [(1,), (2,)], truncated=True)

    _, result = encode(page, cursor_after=lambda rows: f"after {rows}")

    assert result["next_cursor"] == "after 2"
    assert result["truncated"]


def test_the_first_row_is_always_given_if_need_be_cut():
    page = Page(tuple("abcdefghij"), [("x" * 5_000,) * 10] * 3)

    encoded, result = encode(page, 10_000, cursor_after=lambda rows: f"after {rows}")

    assert result["row_count"] == 1
    assert all(cell.endswith(CUT_MARK) for cell in result["rows"][0])
    assert len(encoded.text.encode()) <= 10_000
    assert result["next_cursor"] == "after 1"


def test_a_row_of_escapes_still_fits():
    page = Page(tuple("abcdefghij"), [("\x01" * 5_000,) * 10])

    encoded, result = encode(page, 10_000)

    assert result["row_count"] == 1
    assert len(encoded.text.encode()) <= 10_000


def test_half_a_surrogate_pair_is_replaced():
    _, result = encode(Page(("a",), [("x\ud800y",), ({"\udc00": "\ud83d"},)]))

    assert result["rows"] == [["x�y"], [{"�": "�"}]]


@pytest.mark.parametrize(
    ("kind", "cell", "expected"),
    [
        (ColumnKind.PLAIN, 2**53 + 1, 2**53 + 1),
        (ColumnKind.FLOAT, float("inf"), "Infinity"),
        (ColumnKind.NUMERIC, "1.50", 1.5),
        (ColumnKind.NUMERIC, "12345678901234567890.5", "12345678901234567890.5"),
        (ColumnKind.TEXT, "1.50", "1.50"),
        (ColumnKind.JSON, '{"a": [1, 2.5]}', {"a": [1, 2.5]}),
        (ColumnKind.JSON, "[0.12345678901234567]", ["0.12345678901234567"]),
        (ColumnKind.JSON, "18446744073709551615", 18446744073709551615),
        (ColumnKind.JSON, "18446744073709551616", "18446744073709551616"),
        (
            ColumnKind.JSON,
            '{"a": [-9223372036854775809, true, "12345678901234567890", 1]}',
            {"a": ["-9223372036854775809", True, "12345678901234567890", 1]},
        ),
        (
            ColumnKind.FLOATS,
            '[0.30000000000000004, 1.5, "NaN", null]',
            [0.30000000000000004, 1.5, "NaN", None],
        ),
        (ColumnKind.JSON, "1" * 5_000, "1" * 5_000),
        (ColumnKind.JSON, '"\\ud800"', '"\\ud800"'),
        (ColumnKind.JSON, "[" * 100 + "]" * 100, "[" * 100 + "]" * 100),
        (ColumnKind.JSON, '"' + "[" * 100 + '"', "[" * 100),
        (ColumnKind.JSON, "[{]", "[{]"),
        (ColumnKind.JSON, '[-0, -0.0, 0, "-0"]', [-0.0, -0.0, 0, "-0"]),
        (ColumnKind.FLOATS, "[-0,1]", [-0.0, 1]),
        (ColumnKind.JSON, '{"a-0": "\\"-0", "b": -0.5}', {"a-0": '"-0', "b": -0.5}),
        (ColumnKind.WRITTEN_JSON, '{"a": 1, "b": {"a": 2}}', {"a": 1, "b": {"a": 2}}),
        (ColumnKind.WRITTEN_JSON, '[{"a": 1}, {"a": 2}]', [{"a": 1}, {"a": 2}]),
        (ColumnKind.WRITTEN_JSON, '{"a": "b:c:d"}', {"a": "b:c:d"}),
        (ColumnKind.WRITTEN_JSON, '{"a": 1, "a": 2}', '{"a": 1, "a": 2}'),
        (ColumnKind.WRITTEN_JSON, '[{"a":1,"\\u0061":2}]', '[{"a":1,"\\u0061":2}]'),
        (ColumnKind.WRITTEN_JSON, "not: json: at all", "not: json: at all"),
        (ColumnKind.ANY, b"\xff", "\\xff"),
    ],
)
def test_a_columns_kind_says_how_to_read_its_cells(kind, cell, expected):
    _, result = encode(Page(("a",), [(cell,), (None,)], kinds=(kind,)))

    assert result["rows"] == [[expected], [None]]
    assert repr(result["rows"]) == repr([[expected], [None]])


@pytest.mark.parametrize("size", range(1, 12))
def test_a_cut_never_splits_a_letter(size):
    cut = cut_text("aé😀b文c", size)

    assert len(cut.removesuffix(CUT_MARK).encode()) <= size
    assert "aé😀b文c".startswith(cut.removesuffix(CUT_MARK))


def test_an_object_is_encoded_as_it_is():
    encoded = encode_object({"a": ["\ud800"]}, 3, truncated=True)

    assert json.loads(encoded.text) == {"a": ["�"]}
    assert encoded.row_count == 3


def test_a_thousand_rows_cost_little():
    kinds = (
        ColumnKind.PLAIN,
        ColumnKind.TEXT,
        ColumnKind.NUMERIC,
        ColumnKind.FLOAT,
    ) * 2
    rows = [(i, f"name {i}", f"{i}.25", i / 7) * 2 for i in range(1_000)]
    page = Page(tuple("abcdefgh"), rows, kinds=kinds)

    with at_most(60):
        for _ in range(5):
            encode_page(page, 1_000_000)
