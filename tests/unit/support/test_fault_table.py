"""The table of faults in a document, after a whole run and after a part of one."""

from pathlib import Path

import pytest

from tests.support.fault_matrix.document import write_table
from tests.support.fault_matrix.matrix import Matrix, Run, read_table

NOTE = "9 owned fields: 1 change tried."


@pytest.fixture
def page(tmp_path: Path) -> Path:
    page = tmp_path / "reliability.md"
    runs = [Run("none", 9), Run("403 on get", 17, wrong=1), Run("403 on get", 17)]
    write_table(page, Matrix(runs, [NOTE]))
    return page


def test_a_part_keeps_the_rows_and_notes_of_the_others(page: Path):
    again = Matrix([Run("403 on get", 17), Run("new", 9)], ["2 pairs."])

    write_table(page, again)

    text = page.read_text()
    assert [row[:4] for row in read_table(text)] == [
        ("none", 1, 9, 0),
        ("403 on get", 1, 17, 0),
        ("new", 1, 9, 0),
    ]
    assert "| **all** | 3 | 35 | 0 | 0 | 0 |" in text
    assert f"- {NOTE}" in text
    assert "- 2 pairs." in text


def test_a_note_takes_the_place_of_the_one_before(page: Path):
    write_table(page, Matrix([Run("new", 9)], ["12 owned fields: 3 change tried."]))

    assert NOTE not in page.read_text()
    assert "- 12 owned fields" in page.read_text()


def test_a_whole_run_drops_what_is_no_longer_tried(page: Path):
    runs = [Run("none", 9), Run("403 on get", 17), Run("new", 1)]

    write_table(page, Matrix(runs, ["another"]))

    assert len(read_table(page.read_text())) == len(runs)
    assert NOTE not in page.read_text()
