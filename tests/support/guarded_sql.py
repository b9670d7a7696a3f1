"""The whole way of a statement: guard, READ ONLY, wrapper, JSON, rollback."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import asyncpg

from mcphub_server.backends.postgres.names import DatabaseNames
from mcphub_server.backends.postgres.reading import find_encoding
from mcphub_server.guards.sql.check import check_sql
from mcphub_server.guards.sql.session import build_begin
from mcphub_server.guards.sql.wrap import ColumnType, Window, find_kinds, wrap
from mcphub_server.results.table import EncodedPage, Page, encode_page
from mcphub_server.results.written import WrittenRows

MAX_BYTES = 200_000

CONTENTS = """
SELECT 'table ' || c.oid::regclass::text, (xpath('/table/row/n/text()', query_to_xml(
  format('SELECT count(*) || md5(coalesce(string_agg(t::text, %L ORDER BY t::text), %L))
  AS n FROM %s t', '', '', c.oid::regclass), false, false, '')))[1]::text
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind = 'r' AND n.nspname NOT IN ('pg_catalog', 'information_schema')
  AND n.nspname !~ '^pg_'
UNION ALL SELECT 'sequence ' || sequencename, last_value::text FROM pg_sequences
UNION ALL SELECT 'prepared', count(*)::text FROM pg_prepared_xacts
UNION ALL SELECT 'slots', count(*)::text FROM pg_replication_slots
UNION ALL SELECT 'large objects', count(*)::text FROM pg_largeobject_metadata
UNION ALL SELECT 'settings', md5(string_agg(s::text, '' ORDER BY s::text))
  FROM pg_db_role_setting s
UNION ALL SELECT 'functions', count(*)::text FROM pg_proc
UNION ALL SELECT 'comments', count(*)::text FROM pg_description
UNION ALL SELECT 'roles', md5(string_agg(a::text, '' ORDER BY oid)) FROM pg_authid a
ORDER BY 1
"""


Contents = list[tuple[str, str]]


async def read_contents(dsn: str) -> Contents:
    """Return what no statement may change, table by table."""
    connection = await asyncpg.connect(dsn)
    try:
        return [tuple(row) for row in await connection.fetch(CONTENTS)]
    finally:
        await connection.close()


@dataclass(slots=True)
class GuardedDatabase:
    """A connection that is used as the server uses one."""

    connection: Any
    names: DatabaseNames = field(default_factory=DatabaseNames)
    timeout_ms: int = 60_000

    @classmethod
    async def connect(cls, dsn: str) -> GuardedDatabase:
        return cls(await asyncpg.connect(dsn))

    async def close(self) -> None:
        await self.connection.close()

    async def run(
        self,
        sql: str,
        limit: int = 100,
        max_cell_bytes: int = 2_000,
        parameters: list[Any] | None = None,
        max_bytes: int = MAX_BYTES,
        *,
        as_json: bool = True,
    ) -> EncodedPage:
        """Run a statement as `<b>_query` does; rows may come as JSON."""
        values = parameters or []
        statement = check_sql(sql, len(values))
        window = Window(limit, 0, max_bytes, max_cell_bytes)
        await self.connection.execute(build_begin(self.timeout_ms))
        rows: Sequence[Sequence[object]] | WrittenRows
        try:
            await self.names.check(self.connection.fetch, statement)
            prepared = await self.connection.prepare(statement.text)
            attributes = prepared.get_attributes()
            types = [
                ColumnType(a.type.name, a.type.kind, a.type.schema) for a in attributes
            ]
            if statement.columns_wrappable:
                encoding = find_encoding(self.connection) if as_json else ""
                wrapped = wrap(statement, types, window, encoding)
                kinds = wrapped.kinds
                found = await self.connection.fetch(wrapped.sql, *values)
                rows, more = wrapped.split_page(found, limit)
            else:
                kinds = find_kinds(types)
                found = await prepared.fetch(*values)
                rows, more = found[:limit], len(found) > limit
        finally:
            await self.connection.execute("ROLLBACK")
        page = Page(
            tuple(a.name for a in attributes),
            rows,
            truncated=more,
            kinds=kinds,
        )
        cap = window.cap_cells(len(attributes))
        return encode_page(page, max_bytes, lambda n: f"after-{n}", cap)
