"""Let the database write each row of a wrapped statement as JSON.

Reading a row of eight values and writing them as JSON costs Python ten times what it
costs to copy the JSON that PostgreSQL made. This is possible where a column's JSON is
what PostgreSQL prints: booleans, numbers and everything that travels as text. What is
JSON within (json, arrays, composites) has numbers that only Python spells as it must.
"""

from collections.abc import Sequence

from mcphub_server.results.columns import ColumnKind
from mcphub_server.results.numbers import SAFE_DIGITS

MOST_COLUMNS = 100
"""PostgreSQL's functions have as many arguments."""

PRINTED = frozenset(
    {ColumnKind.PLAIN, ColumnKind.FLOAT, ColumnKind.NUMERIC, ColumnKind.TEXT}
)

_SHORT = SAFE_DIGITS + 1
"""Characters of a decimal number that a double holds exactly, its point included."""


def can_write(kinds: Sequence[ColumnKind], encoding: str) -> bool:
    """Return whether rows can be written by a server with this encoding.

    In another encoding than UTF-8 the server counts other bytes than the client gets.
    """
    return encoding == "UTF8" and 0 < len(kinds) <= MOST_COLUMNS and {*kinds} <= PRINTED


def build_row(
    aliases: Sequence[str], kinds: Sequence[ColumnKind], max_cell_bytes: int
) -> tuple[str, str]:
    """Return the expressions of a row as JSON, and of whether it is rough.

    A rough row has a text of more than `max_cell_bytes` bytes, or a number that may be
    too long for a JSON number and is written as a string: `results.written` finishes
    it. NaN and infinity are strings in PostgreSQL's JSON.
    """
    columns = list(zip(aliases, kinds, strict=True))
    short = min(_SHORT, max_cell_bytes)  # a longer one is cut, and no number any more
    cells = ", ".join(_write(alias, kind, short) for alias, kind in columns)
    row = f"pg_catalog.json_build_array({cells})::pg_catalog.text"
    texts = [alias for alias, kind in columns if kind is ColumnKind.TEXT]
    numbers = [alias for alias, kind in columns if kind is ColumnKind.NUMERIC]
    conditions = [
        *_find_longer("pg_catalog.octet_length", texts, max_cell_bytes),
        *_find_longer("pg_catalog.length", numbers, short),
    ]
    return row, f"({' OR '.join(conditions)}) IS TRUE" if conditions else "false"


def _write(alias: str, kind: ColumnKind, short: int) -> str:
    if kind is not ColumnKind.NUMERIC:
        return alias
    return (
        f"CASE WHEN pg_catalog.length({alias}) OPERATOR(pg_catalog.<=) {short}"
        f" THEN pg_catalog.to_json({alias}::pg_catalog.numeric)"
        f" ELSE pg_catalog.to_json({alias}) END"
    )


def _find_longer(measure: str, aliases: Sequence[str], most: int) -> list[str]:
    if not aliases:
        return []
    sizes = ", ".join(f"{measure}({alias})" for alias in aliases)
    return [f"GREATEST({sizes}) OPERATOR(pg_catalog.>) {most}"]
