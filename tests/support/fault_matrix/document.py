"""Putting the table of faults into the document that shows it."""

import re
from pathlib import Path

from tests.support.fault_matrix.matrix import Matrix

HEADING = "## The operator under faults\n"
BEGIN = "<!-- faults: made by `make fault-matrix` -->"
END = "<!-- faults: end -->"
MADE = re.compile(re.escape(BEGIN) + r".*?" + re.escape(END), re.DOTALL)
SECTION = re.compile(re.escape(HEADING) + r"(?:(?!^## ).*\n?)*", re.MULTILINE)


def write_table(document: Path, matrix: Matrix) -> None:
    """Replace the table in the document, or add it to the section that it is for."""
    text = document.read_text() if document.exists() else f"# Reliability\n\n{HEADING}"
    notes = "".join(f"\n- {note}" for note in matrix.notes)
    made = f"{BEGIN}\n\n{matrix.build_table()}\n{notes}\n\n{END}"
    if MADE.search(text):
        text = MADE.sub(lambda _: made, text)
    else:
        text = SECTION.sub(lambda found: f"{found[0].rstrip()}\n\n{made}\n\n", text, 1)
    document.write_text(text.rstrip() + "\n")
