"""What a column's values are before they become JSON.

A statement that was wrapped knows this per column, so that a thousand rows need no
thousand decisions.
"""

from enum import StrEnum


class ColumnKind(StrEnum):
    """How to read one column's cells.

    PLAIN is JSON already (null, boolean, integer). FLOAT may be NaN or infinite.
    NUMERIC is a decimal number as text. TEXT is text. JSON is JSON text whose
    numbers are decimals; in WRITTEN_JSON an object may have a key twice. FLOATS is JSON
    text whose numbers are floats. ANY is any value of Python or of a driver, judged
    cell by cell.
    """

    PLAIN = "plain"
    FLOAT = "float"
    NUMERIC = "numeric"
    TEXT = "text"
    JSON = "json"
    WRITTEN_JSON = "written json"
    FLOATS = "floats"
    ANY = "any"
