"""Descriptions fit their limit: texts are cut first, then items left out."""

import json

import pytest

from mcphub_server.results.cells import CUT_MARK
from mcphub_server.results.fitting import MAX_TEXT_BYTES, fit_items, fit_object


def table(columns=2, comment="short"):
    return {
        "name": "orders",
        "comment": comment,
        "columns": [
            {"name": f"column_{number}", "default": comment}
            for number in range(columns)
        ],
        "indexes": [{"name": "orders_pkey", "definition": comment}],
    }


def fit(value, max_bytes):
    return fit_object(value, ("columns", "indexes"), max_bytes)


def test_what_fits_stays_as_it_is():
    assert fit(table(), 10_000) == table()


def test_a_text_of_any_length_is_cut_and_marked():
    fitted = fit(table(comment="x" * 10_000), 100_000)

    assert fitted["comment"] == "x" * MAX_TEXT_BYTES + CUT_MARK
    assert fitted["truncated"]


@pytest.mark.parametrize("max_bytes", [1_000, 5_000, 20_000])
@pytest.mark.parametrize("columns", [1, 30, 1_600])
def test_a_description_keeps_to_its_bytes(columns, max_bytes):
    fitted = fit(table(columns, "ü" * 3_000), max_bytes)

    assert len(json.dumps(fitted, ensure_ascii=False).encode()) <= max_bytes * 1.1
    assert fitted["truncated"]
    assert fitted["name"] == "orders"


def test_texts_are_cut_before_columns_are_left_out():
    fitted = fit(table(20, "x" * 2_000), 10_000)

    assert len(fitted["columns"]) == 20
    assert fitted["comment"].endswith(CUT_MARK)


def test_leading_items_are_those_that_fit():
    items = [{"name": str(number)} for number in range(100)]

    assert fit_items(items, 200) == items[:14]


def test_the_first_item_is_always_there():
    fitted = fit_items([{"comment": "x" * 9_000}] * 2, 100)

    assert fitted == [{"comment": "x" * 128 + CUT_MARK}]
