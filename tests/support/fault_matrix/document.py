"""Putting the table of faults into the document that shows it."""

import re
from pathlib import Path

from support.fault_matrix.matrix import Matrix

HEADING = "## The operator under faults"
BEGIN = "<!-- faults: made by `make fault-matrix` -->"
END = "<!-- faults: end -->"
TITLE = "# Reliability\n"


def write_table(document: Path, matrix: Matrix) -> None:
    """Replace the table under its heading, or add heading and table."""
    text = document.read_text() if document.exists() else TITLE
    made = "\n".join([BEGIN, "", matrix.build_table(), "", *matrix.notes, END])
    if BEGIN in text:
        pattern = re.escape(BEGIN) + r".*?" + re.escape(END)
        text = re.sub(pattern, lambda _: made, text, flags=re.DOTALL)
    else:
        text = f"{text.rstrip()}\n\n{HEADING}\n\n{made}\n"
    document.write_text(text)
