"""Plans of statements, also with indexes that do not exist.

hypopg keeps its indexes in the session, where a rollback does not reach them. They are
removed in the same use; where that cannot be, the connection is closed with them.
"""

import json
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from mcphub_server.backends.postgres.catalog import TableName, find_table
from mcphub_server.backends.postgres.diagnosis import FIND_EXTENSION
from mcphub_server.backends.postgres.reading import PostgresReader
from mcphub_server.guards.sql.statement import SqlStatement

Plan = dict[str, Any]

COLUMNS_OF = """
SELECT pg_catalog.array_agg(a.attname::text) AS names FROM pg_catalog.pg_attribute a
WHERE a.attrelid = $1 AND a.attnum > 0 AND NOT a.attisdropped
  AND pg_catalog.has_column_privilege(a.attrelid, a.attnum, 'SELECT')"""

ROWS_OF = """
SELECT n.nspname || '.' || c.relname AS name, c.reltuples::bigint AS rows
FROM ROWS FROM (pg_catalog.unnest($1::text[]), pg_catalog.unnest($2::text[]))
  AS u(schema, name)
JOIN pg_catalog.pg_namespace n ON n.nspname = u.schema
JOIN pg_catalog.pg_class c ON c.relnamespace = n.oid AND c.relname = u.name"""


@dataclass(frozen=True, slots=True)
class Hypothetical:
    """An index to try, with names that the catalog has."""

    schema: str
    table: str
    columns: tuple[str, ...]

    @property
    def definition(self) -> str:
        """The statement that would create it."""
        columns = ", ".join(map(quote, self.columns))
        return f"CREATE INDEX ON {quote(self.schema)}.{quote(self.table)} ({columns})"


class Explainer:
    """Asks the planner of one database."""

    def __init__(self, reader: PostgresReader) -> None:
        self._reader = reader

    async def find_hypopg(self) -> str:
        """Return the schema of hypopg; empty where it is not installed."""
        rows = await self._reader.fetch_own(FIND_EXTENSION, "hypopg")
        return str(rows[0]["schema"]) if rows else ""

    async def find_index(
        self, table: TableName, columns: Sequence[str]
    ) -> tuple[Hypothetical, list[str]]:
        """Return an index of a table, and the columns that the table does not have."""
        found = await find_table(self._reader, table)
        rows = await self._reader.fetch_own(COLUMNS_OF, found["oid"])
        known = set(rows[0]["names"] or ())
        missing = [name for name in columns if name not in known]
        index = Hypothetical(found["schema"], found["name"], tuple(columns))
        return index, missing

    async def count_rows(self, tables: Sequence[tuple[str, str]]) -> dict[str, int]:
        """Return the estimated rows of tables; -1 for those never analyzed."""
        schemas, names = [each[0] for each in tables], [each[1] for each in tables]
        rows = await self._reader.fetch_own(ROWS_OF, schemas, names)
        return {row["name"]: row["rows"] for row in rows}

    async def explain(
        self,
        statement: SqlStatement,
        indexes: Sequence[Hypothetical] = (),
        hypopg: str = "",
    ) -> Plan:
        """Return the plan of a statement; nothing of it runs."""
        async with (
            self._reader.checked(statement) as (session, ask),
            having_indexes(session, ask, indexes, hypopg),
        ):
            (row,) = await ask(f"EXPLAIN (VERBOSE, FORMAT JSON) {statement.text}")
        plan: Plan = json.loads(row[0])[0]["Plan"]
        return plan


@asynccontextmanager
async def having_indexes(
    session: Any, ask: Any, indexes: Sequence[Hypothetical], hypopg: str
) -> AsyncIterator[None]:
    """Let the planner see these indexes in the block, and in nothing after it."""
    if not indexes:
        yield
        return
    try:
        for index in indexes:
            create = f"SELECT * FROM {hypopg}.hypopg_create_index($1)"  # noqa: S608
            await ask(create, index.definition)
        yield
        await ask(f"SELECT {hypopg}.hypopg_reset()")
    except BaseException:
        session.terminate()
        raise


def quote(name: str) -> str:
    """Return an identifier in quotes."""
    return '"' + name.replace('"', '""') + '"'
