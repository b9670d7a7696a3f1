"""Build the statement around a statement that bounds its rows and its cells.

The database cuts what is too long before it travels, and writes as text or JSON
what a driver cannot hold or would bend: infinite and BC dates, numeric, intervals,
arrays, composites. Columns are renamed c1, c2, …, so that duplicate names survive;
the line break keeps a trailing comment from swallowing the rest. PostgreSQL keeps
the order of a subquery's ORDER BY, for nothing above it reorders rows.

Where each column's JSON is what PostgreSQL prints, the rows come as JSON (`json_rows`).

A running sum of the rows' sizes ends the result where a page could not take more:
however many columns and rows a statement has, about four times `max_bytes` travel.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from mcphub_server.guards.sql.json_rows import build_row, can_write
from mcphub_server.guards.sql.statement import SqlStatement
from mcphub_server.results.columns import ColumnKind
from mcphub_server.results.written import WrittenRows

_AS_THEY_ARE = {
    **dict.fromkeys(("bool", "int2", "int4", "int8"), ColumnKind.PLAIN),
    "float8": ColumnKind.FLOAT,
}
_CUT_AS_TEXT = {
    "numeric": ColumnKind.NUMERIC,
    "json": ColumnKind.WRITTEN_JSON,
    "jsonb": ColumnKind.JSON,
}
_MOMENTS = frozenset({"date", "timestamp", "timestamptz"})
_VECTORS = frozenset({"vector", "halfvec"})  # their text is a JSON list
_JSON_BY_CAST = frozenset({"hstore", "geometry", "geography"})
_STRUCTURED_KINDS = frozenset({"array", "composite"})
_FLOATS = frozenset({"float4[]", "float8[]"})
_WITH_JSON = frozenset({"json[]", "record", "record[]"})
_STRUCTURED_NAMES = frozenset({"record", "int2vector", "oidvector"})


@dataclass(frozen=True, slots=True)
class ColumnType:
    """A column as its prepared statement describes it (asyncpg's Type)."""

    name: str
    kind: str = "scalar"
    schema: str = "pg_catalog"


_WITHOUT_ENCODING = "SQL_ASCII"
"""Of a database that stores bytes; PostgreSQL sends only characters as text."""

_STRAY_BYTE = re.compile("[\udc80-\udcff]")
"""As Python decodes a byte that belongs to no character."""

_SPENT = "spent_"
_PLACE = "place_"
_ROW_BYTES = 64
"""What a row costs in PostgreSQL beyond its values, and hardly in JSON."""
_MIN_CELL_BYTES = 256


@dataclass(frozen=True, slots=True)
class Window:
    """Which rows, and how much of them.

    Attributes:
        limit: Rows of the page.
        offset: Rows before it.
        max_bytes: What the page may have once it is JSON.
        max_cell_bytes: What a cell may have where there are few columns.
    """

    limit: int
    offset: int = 0
    max_bytes: int = 1_048_576
    max_cell_bytes: int = 32_768

    def cap_cells(self, columns: int) -> int:
        """Return how long a cell may be, so that one row is at most two pages."""
        share = 2 * self.max_bytes // max(columns, 1)
        return min(self.max_cell_bytes, max(share, _MIN_CELL_BYTES))


@dataclass(frozen=True, slots=True)
class WrappedStatement:
    """What to run, and how to read its columns.

    Attributes:
        sql: Its last column, after those of the statement, says of the row that it
            does not fit any more.
        kinds: What each column of the statement holds.
        max_cell_bytes: A cell that was cut has more characters than this.
        is_json: Each row comes as JSON, with whether it is rough.
        has_bytes: Texts come as bytes, which may be no characters.
    """

    sql: str
    kinds: tuple[ColumnKind, ...]
    max_cell_bytes: int
    is_json: bool = False
    has_bytes: bool = False

    def split_page(
        self, records: Sequence[Sequence[Any]], limit: int
    ) -> tuple[Sequence[Sequence[object]] | WrittenRows, bool]:
        """Return the rows of the page, and whether there are more behind them."""
        kept = [record for record in records[:limit] if not record[-1]]
        more = len(kept) < len(records)
        if self.is_json:
            texts, are_rough = [each[0] for each in kept], [each[1] for each in kept]
            return WrittenRows(texts, are_rough, self.max_cell_bytes), more
        width = len(self.kinds)
        rows = [record[:width] for record in kept]
        return [*map(self._decode, rows)] if self.has_bytes else rows, more

    def _decode(self, row: Sequence[object]) -> list[object]:
        return [*map(_decode, self.kinds, row)]


def wrap(
    statement: SqlStatement,
    columns: Sequence[ColumnType],
    window: Window,
    encoding: str = "",
) -> WrappedStatement:
    """Wrap a SELECT; its result is the window's rows, as many as fit, and one more.

    `split_page` takes the one more away. `encode_page` with the same
    `max_cell_bytes` knows the cells that were cut.

    Args:
        statement: What to wrap.
        columns: Its columns.
        window: Which rows.
        encoding: The server's, in its own spelling; rows come as JSON where it and the
            columns allow.
    """
    aliases = [f"c{i}" for i in range(1, len(columns) + 1)]
    cap = window.cap_cells(len(columns))
    read = [
        _read_column(column, alias, cap)
        for column, alias in zip(columns, aliases, strict=True)
    ]
    if encoding == _WITHOUT_ENCODING:
        read = [(_as_bytes(cell, kind), kind) for cell, kind in read]
    zipped = zip(read, aliases, strict=True)
    names = f"({', '.join(aliases)})" if aliases else ""
    cells = ", ".join(f"{expression} AS {a}" for (expression, _), a in zipped)
    # Not built from input: the guard has parsed the text, the rest is this module's.
    sql = (
        f"SELECT {cells} FROM (\n{statement.text}\n) AS t{names}"  # noqa: S608
        f" LIMIT {int(window.limit) + 1} OFFSET {int(window.offset)}"
    )
    kinds = tuple(kind for _, kind in read)
    if not can_write(kinds, encoding):
        bounded = _bound_bytes(sql, aliases, window)
        has_bytes = encoding == _WITHOUT_ENCODING
        return WrappedStatement(bounded, kinds, cap, has_bytes=has_bytes)
    row, is_rough = build_row(aliases, kinds, cap)
    written = f"SELECT {row} AS row_, {is_rough} AS rough_ FROM ({sql}) AS p OFFSET 0"  # noqa: S608
    return WrappedStatement(_bound_json(written, window), kinds, cap, is_json=True)


def _bound_bytes(sql: str, aliases: Sequence[str], window: Window) -> str:
    """End the result behind the first row beyond the budget; row one always fits.

    The frame has no order and no end to wait for, so rows stream through in theirs.
    """
    if not aliases:
        return f"SELECT false FROM ({sql}) AS p"  # noqa: S608
    return _sum_sizes(sql, ", ".join(aliases), "pg_catalog.pg_column_size(p.*)", window)


def _bound_json(sql: str, window: Window) -> str:
    size = "pg_catalog.octet_length(p.row_)"
    return _sum_sizes(sql, "row_, rough_", size, window)


def _sum_sizes(sql: str, names: str, size: str, window: Window) -> str:
    budget = 2 * int(window.max_bytes) + _ROW_BYTES * int(window.limit)
    # Not built from input: see `wrap`.
    return (
        f"SELECT {names}, {_SPENT} OPERATOR(pg_catalog.>) {budget}"  # noqa: S608
        f" AND {_PLACE} OPERATOR(pg_catalog.>) 1"
        f" FROM (SELECT {names}, {size} AS size_,"
        f" pg_catalog.sum({size}) OVER w AS {_SPENT},"
        f" pg_catalog.row_number() OVER w AS {_PLACE} FROM ({sql}) AS p"
        f" WINDOW w AS (ROWS UNBOUNDED PRECEDING)) AS q"
        f" WHERE {_SPENT} OPERATOR(pg_catalog.-) size_ OPERATOR(pg_catalog.<=) {budget}"
        f" OR {_PLACE} OPERATOR(pg_catalog.<=) 2"
    )


def find_kinds(columns: Sequence[ColumnType]) -> tuple[ColumnKind, ...]:
    """Return how to read the columns of a statement that runs unwrapped."""
    return tuple(
        ColumnKind.JSON if column.name == "json" else ColumnKind.ANY
        for column in columns
    )


def _read_column(column: ColumnType, alias: str, cap: int) -> tuple[str, ColumnKind]:
    cell = f"t.{alias}"
    if column.kind in _STRUCTURED_KINDS or column.name in _STRUCTURED_NAMES:
        kind = _find_structured_kind(column)
        return _cut(f"pg_catalog.to_json({cell})", cap), kind
    if column.schema != "pg_catalog":
        return _read_added_type(column.name, cell, cap)
    return _read_builtin_type(column.name, cell, cap)


def _find_structured_kind(column: ColumnType) -> ColumnKind:
    """Return how to read a list or a row; a row may have JSON within."""
    if column.name in _FLOATS:
        return ColumnKind.FLOATS
    is_plain_list = column.schema == "pg_catalog" and column.name not in _WITH_JSON
    return ColumnKind.JSON if is_plain_list else ColumnKind.WRITTEN_JSON


def _read_builtin_type(name: str, cell: str, cap: int) -> tuple[str, ColumnKind]:
    if name in _AS_THEY_ARE:
        return cell, _AS_THEY_ARE[name]
    if name == "oid":
        return f"{cell}::pg_catalog.int8", ColumnKind.PLAIN
    if name == "float4":  # through text: 0.1, not 0.10000000149011612
        return f"{cell}::pg_catalog.text::pg_catalog.float8", ColumnKind.FLOAT
    if name in _MOMENTS:
        json = f"pg_catalog.to_json({cell})"
        return f"{json} OPERATOR(pg_catalog.#>>) '{{}}'", ColumnKind.TEXT
    if name == "bytea":
        part = f"pg_catalog.substr({cell}, 1, {cap // 2 + 1})"
        hexadecimal = f"pg_catalog.encode({part}, 'hex')"
        return f"'\\x' OPERATOR(pg_catalog.||) {hexadecimal}", ColumnKind.TEXT
    return _cut(cell, cap), _CUT_AS_TEXT.get(name, ColumnKind.TEXT)


def _read_added_type(name: str, cell: str, cap: int) -> tuple[str, ColumnKind]:
    if name in _VECTORS:
        return _cut(cell, cap), ColumnKind.JSON
    if name in _JSON_BY_CAST:
        return _cut(f"pg_catalog.to_json({cell})", cap), ColumnKind.JSON
    return _cut(cell, cap), ColumnKind.TEXT


def _as_bytes(cell: str, kind: ColumnKind) -> str:
    if kind in {ColumnKind.PLAIN, ColumnKind.FLOAT}:
        return cell
    return f"pg_catalog.convert_to(({cell})::pg_catalog.text, 'SQL_ASCII')"


def _decode(kind: ColumnKind, cell: object) -> object:
    """Return a text; a byte that belongs to no character becomes its code.

    In JSON a backslash is written twice.
    """
    if not isinstance(cell, bytes):
        return cell
    mark = "\\x" if kind in {ColumnKind.NUMERIC, ColumnKind.TEXT} else "\\\\x"
    text = cell.decode(errors="surrogateescape")
    return _STRAY_BYTE.sub(lambda found: f"{mark}{ord(found[0]) & 0xFF:02x}", text)


def _cut(cell: str, cap: int) -> str:
    return f"pg_catalog.left({cell}::pg_catalog.text, {cap + 1})"
