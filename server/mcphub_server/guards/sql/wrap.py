"""Build the statement around a statement that bounds its rows and its cells.

The database cuts what is too long before it travels, and writes as text or JSON
what a driver cannot hold or would bend: infinite and BC dates, numeric, intervals,
arrays, composites. Columns are renamed c1, c2, …, so that duplicate names survive;
the line break keeps a trailing comment from swallowing the rest. PostgreSQL keeps
the order of a subquery's ORDER BY, for nothing above it reorders rows.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from mcphub_server.guards.sql.statement import SqlStatement
from mcphub_server.results.columns import ColumnKind

_AS_THEY_ARE = {
    **dict.fromkeys(("bool", "int2", "int4", "int8", "oid"), ColumnKind.PLAIN),
    "float8": ColumnKind.FLOAT,
}
_CUT_AS_TEXT = {
    "numeric": ColumnKind.NUMERIC,
    "json": ColumnKind.JSON,
    "jsonb": ColumnKind.JSON,
}
_MOMENTS = frozenset({"date", "timestamp", "timestamptz"})
_VECTORS = frozenset({"vector", "halfvec"})  # their text is a JSON list
_JSON_BY_CAST = frozenset({"hstore", "geometry", "geography"})
_STRUCTURED_KINDS = frozenset({"array", "composite"})
_STRUCTURED_NAMES = frozenset({"record", "int2vector", "oidvector"})


@dataclass(frozen=True, slots=True)
class ColumnType:
    """A column as its prepared statement describes it (asyncpg's Type)."""

    name: str
    kind: str = "scalar"
    schema: str = "pg_catalog"


@dataclass(frozen=True, slots=True)
class Window:
    """Which rows, and how much of each cell."""

    limit: int
    offset: int = 0
    max_cell_bytes: int = 32_768


@dataclass(frozen=True, slots=True)
class WrappedStatement:
    """What to run, and how to read its columns."""

    sql: str
    kinds: tuple[ColumnKind, ...]


def wrap(
    statement: SqlStatement, columns: Sequence[ColumnType], window: Window
) -> WrappedStatement:
    """Wrap a SELECT; its result has at most `limit` rows, cells a little above cap.

    A cell that was cut has `max_cell_bytes` + 1 characters, by which `encode_page`
    with the same cap knows it. Ask for one row more than the page takes to learn
    whether there are more.
    """
    aliases = [f"c{i}" for i in range(1, len(columns) + 1)]
    read = [
        _read_column(column, alias, window.max_cell_bytes)
        for column, alias in zip(columns, aliases, strict=True)
    ]
    zipped = zip(read, aliases, strict=True)
    names = f"({', '.join(aliases)})" if aliases else ""
    cells = ", ".join(f"{expression} AS {a}" for (expression, _), a in zipped)
    # Not built from input: the guard has parsed the text, the rest is this module's.
    sql = (
        f"SELECT {cells} FROM (\n{statement.text}\n) AS t{names}"  # noqa: S608
        f" LIMIT {int(window.limit)} OFFSET {int(window.offset)}"
    )
    return WrappedStatement(sql, tuple(kind for _, kind in read))


def find_kinds(columns: Sequence[ColumnType]) -> tuple[ColumnKind, ...]:
    """Return how to read the columns of a statement that runs unwrapped."""
    return tuple(
        ColumnKind.JSON if column.name == "json" else ColumnKind.ANY
        for column in columns
    )


def _read_column(column: ColumnType, alias: str, cap: int) -> tuple[str, ColumnKind]:
    cell = f"t.{alias}"
    if column.kind in _STRUCTURED_KINDS or column.name in _STRUCTURED_NAMES:
        return _cut(f"pg_catalog.to_json({cell})", cap), ColumnKind.JSON
    if column.schema != "pg_catalog":
        return _read_added_type(column.name, cell, cap)
    return _read_builtin_type(column.name, cell, cap)


def _read_builtin_type(name: str, cell: str, cap: int) -> tuple[str, ColumnKind]:
    if name in _AS_THEY_ARE:
        return cell, _AS_THEY_ARE[name]
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


def _cut(cell: str, cap: int) -> str:
    return f"pg_catalog.left({cell}::pg_catalog.text, {cap + 1})"
