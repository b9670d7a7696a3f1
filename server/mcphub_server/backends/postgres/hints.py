"""What the server's error leaves out: which table is closed, which name wants quotes.

Asked of the catalog in a transaction of its own, once a statement has failed; only
names of what the hub's role may see are told.
"""

from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from mcphub_server.errors import QueryFailed
from mcphub_server.guards.sql.statement import SqlStatement

Ask = Callable[..., Awaitable[Sequence[Any]]]

DENIED = "42501"
UNDEFINED = frozenset({"42P01", "42703"})
MOST = 5

FIND_DENIED = f"""
SELECT n.nspname::text AS schema, c.relname::text AS name,
       ARRAY(SELECT a.attname::text FROM pg_catalog.pg_attribute a
             WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
               AND NOT pg_catalog.has_column_privilege(c.oid, a.attnum, 'SELECT')
             ORDER BY a.attnum LIMIT 10) AS denied,
       pg_catalog.has_any_column_privilege(c.oid, 'SELECT') AS some
FROM ROWS FROM (pg_catalog.unnest($1::text[]), pg_catalog.unnest($2::text[]))
  AS u(schema, name)
JOIN pg_catalog.pg_class c ON c.relname = u.name
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
  AND (n.nspname = u.schema OR u.schema IS NULL
    AND n.nspname = ANY (pg_catalog.current_schemas(true)))
WHERE pg_catalog.has_schema_privilege(n.oid, 'USAGE')
  AND NOT pg_catalog.has_table_privilege(c.oid, 'SELECT')
LIMIT {MOST}"""  # noqa: S608 -- a constant of this module

FIND_SPELLINGS = f"""
SELECT DISTINCT s.name FROM (
  SELECT c.relname::text AS name, c.oid AS relation FROM pg_catalog.pg_class c
  WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f')
  UNION ALL
  SELECT a.attname::text, a.attrelid FROM pg_catalog.pg_attribute a
  JOIN pg_catalog.pg_class c ON c.oid = a.attrelid
  WHERE pg_catalog.lower(c.relname::text) = ANY ($2::text[]) AND NOT a.attisdropped
) AS s
WHERE pg_catalog.lower(s.name) = ANY ($1::text[]) AND s.name <> pg_catalog.lower(s.name)
  AND pg_catalog.has_any_column_privilege(s.relation, 'SELECT')
ORDER BY 1 LIMIT {MOST}"""  # noqa: S608 -- a constant of this module


async def find_hint(ask: Ask, statement: SqlStatement, failure: QueryFailed) -> str:
    """Return a sentence to add to a failure; empty if there is nothing to add."""
    if failure.code == DENIED:
        return await _describe_denied(ask, statement)
    if failure.code in UNDEFINED:
        return await _describe_spellings(ask, statement)
    return ""


async def _describe_denied(ask: Ask, statement: SqlStatement) -> str:
    relations = sorted(statement.uses.relations, key=str)
    schemas = [schema for schema, _ in relations]
    rows = await ask(FIND_DENIED, schemas, [name for _, name in relations])
    parts = [
        f"of {row['schema']}.{row['name']} the columns {', '.join(row['denied'])}"
        if row["some"]
        else f"{row['schema']}.{row['name']}"
        for row in rows
    ]
    return f"It may not read {' and '.join(parts)}." if parts else ""


async def _describe_spellings(ask: Ask, statement: SqlStatement) -> str:
    relations = {name for _, name in statement.uses.relations}
    written = relations | statement.uses.columns
    names = [name.lower() for name in written]
    rows = await ask(FIND_SPELLINGS, names, [name.lower() for name in relations])
    found = [row["name"] for row in rows if row["name"] not in written]
    quoted = ", ".join('"' + name.replace('"', '""') + '"' for name in found)
    return f"Names with capital letters need double quotes: {quoted}." if quoted else ""
