"""Tables and columns by their names, asked of the catalog.

What is readable is `catalog`'s to say; a partition is found by its table, whose columns
it has.
"""

from collections.abc import Sequence
from typing import Any

from mcphub_server.backends.postgres.catalog import (
    KINDS,
    READABLE,
    TABLE_COMMENT,
    as_bytes,
    decode_text,
)
from mcphub_server.backends.postgres.reading import PostgresReader

COLUMN = "column"
LONGEST_COMMENT = 200
MOST_COMPLETIONS = 101
"""One more than an answer of MCP has."""

READABLE_RELATIONS = f"""
WITH readable AS (
  SELECT c.oid, n.nspname::text AS schema, c.relname::text AS name, c.relkind
  FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
  WHERE {READABLE}),
shown AS (
  SELECT c.* FROM readable c WHERE NOT EXISTS (
    SELECT FROM pg_catalog.pg_inherits i JOIN readable parent
      ON parent.oid = i.inhparent WHERE i.inhrelid = c.oid))
"""  # noqa: S608 -- constants of these modules only, here and below

SEARCH = f"""{READABLE_RELATIONS}
SELECT kind, name, container, detail FROM (
  SELECT 0 AS place, c.relkind::text AS kind, c.name, c.schema AS container,
         {as_bytes(f"pg_catalog.left({TABLE_COMMENT}, {LONGEST_COMMENT})")} AS detail
  FROM shown c
  WHERE c.name ILIKE $2 OR ($3::boolean AND c.schema || '.' || c.name ILIKE $2)
  UNION ALL
  SELECT 1, '{COLUMN}', a.attname::text, c.schema || '.' || c.name,
         {as_bytes("pg_catalog.format_type(a.atttypid, a.atttypmod)")}
  FROM shown c JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid
  WHERE a.attnum > 0 AND NOT a.attisdropped
    AND (a.attname::text ILIKE $2 OR ($3::boolean
         AND c.schema || '.' || c.name || '.' || a.attname::text ILIKE $2))
    AND pg_catalog.has_column_privilege(c.oid, a.attnum, 'SELECT')) found
ORDER BY place, container, name LIMIT $4 OFFSET $5"""  # noqa: S608

COMPLETE = f"""{READABLE_RELATIONS}
SELECT DISTINCT CASE WHEN $4::boolean THEN c.schema || '.' || c.name
                     ELSE c.name END AS name
FROM shown c
WHERE ($3::text IS NULL OR c.schema = $3)
  AND (pg_catalog.starts_with(c.name, $2)
       OR ($4::boolean AND pg_catalog.starts_with(c.schema || '.' || c.name, $2)))
ORDER BY name LIMIT {MOST_COMPLETIONS}"""  # noqa: S608
"""`$4`: name the tables with their schemas."""


async def search(
    reader: PostgresReader, like: str, window: tuple[int, int], *, qualified: bool
) -> list[dict[str, Any]]:
    """Return tables, then columns, whose name is like a pattern of ILIKE.

    Args:
        reader: Of the database.
        like: The pattern.
        window: How many, and how many before them are left out.
        qualified: Whether the pattern may stand for a name behind its schema.
    """
    schemas = list(reader.backend.config.schemas)
    rows = await reader.fetch_own(SEARCH, schemas, like, qualified, *window)
    return [
        {
            "kind": KINDS.get(row["kind"], row["kind"]),
            "name": row["name"],
            "container": row["container"],
            "detail": decode_text(row["detail"]) or "",
        }
        for row in rows
    ]


async def complete_table(
    reader: PostgresReader, begun: str, schema: str | None
) -> Sequence[str]:
    """Return tables that begin so: those of a schema, or with their schemas."""
    schemas = list(reader.backend.config.schemas)
    qualified = schema is None
    rows = await reader.fetch_own(COMPLETE, schemas, begun, schema or None, qualified)
    return [row["name"] for row in rows]
