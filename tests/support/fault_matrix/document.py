"""Putting the table of faults into the document that shows it."""

import re
from pathlib import Path

from tests.support.fault_matrix.matrix import (
    Matrix,
    Row,
    build_table,
    read_table,
)

HEADING = "## The operator under faults\n"
BEGIN = "<!-- faults: made by `make fault-matrix` -->"
END = "<!-- faults: end -->"
MADE = re.compile(re.escape(BEGIN) + r".*?" + re.escape(END), re.DOTALL)
NOTE = re.compile(r"^- (.*)$", re.MULTILINE)
NUMBER = re.compile(r"[\d.,]+")
SECTION = re.compile(re.escape(HEADING) + r"(?:(?!^## ).*\n?)*", re.MULTILINE)


def write_table(document: Path, matrix: Matrix) -> None:
    """Replace the table in the document, or add it to the section that it is for.

    A run of some faults keeps the rows and notes of the others.
    """
    text = document.read_text() if document.exists() else f"# Reliability\n\n{HEADING}"
    found = MADE.search(text)
    table, listed = _merge(found[0] if found else "", matrix)
    notes = "".join(f"\n- {note}" for note in listed)
    made = f"{BEGIN}\n\n{build_table(table)}\n{notes}\n\n{END}"
    if found:
        text = MADE.sub(lambda _: made, text)
    else:
        text = SECTION.sub(lambda found: f"{found[0].rstrip()}\n\n{made}\n\n", text, 1)
    document.write_text(text.rstrip() + "\n")


def _merge(block: str, matrix: Matrix) -> tuple[list[Row], list[str]]:
    """Return the rows and notes of this run, with the others of the document."""
    before = {row.fault: row for row in read_table(block)}
    now = {row.fault: row for row in matrix.rows()}
    if before.keys() <= now.keys():
        return list(now.values()), matrix.notes
    kept = NOTE.findall(block)
    seen = {NUMBER.sub("", note) for note in matrix.notes}
    others = [note for note in kept if NUMBER.sub("", note) not in seen]
    return list((before | now).values()), [*others, *matrix.notes]
