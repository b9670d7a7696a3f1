"""What a database contains, asked of its catalog: tables, and one table whole.

Only what the hub's role may read is shown, and of that only the configured schemas.
All names come from pg_catalog explicitly, whatever the search path says. Texts that
may be of any length are cut by the database, one letter behind what is shown of them.
"""

from dataclasses import dataclass
from typing import Any

from mcphub_server.backends.postgres.reading import PostgresReader
from mcphub_server.errors import BadArgument
from mcphub_server.results.fitting import MAX_TEXT_BYTES

KINDS = {
    "r": "table",
    "p": "partitioned table",
    "v": "view",
    "m": "materialized view",
    "f": "foreign table",
}

MOST_SCHEMAS = 100
MOST = MAX_TEXT_BYTES + 1

READABLE = """
  c.relkind IN ('r', 'p', 'v', 'm', 'f')
  AND n.nspname NOT IN ('pg_catalog', 'information_schema')
  AND n.nspname NOT LIKE 'pg\\_toast%' AND n.nspname NOT LIKE 'pg\\_temp%'
  AND (pg_catalog.cardinality($1::text[]) = 0 OR n.nspname = ANY ($1::text[]))
  AND pg_catalog.has_schema_privilege(n.oid, 'USAGE')
  AND (pg_catalog.has_table_privilege(c.oid, 'SELECT')
       OR pg_catalog.has_any_column_privilege(c.oid, 'SELECT'))
"""


def as_bytes(expression: str) -> str:
    """Return SQL for a text as bytes that `decode_texts` reads.

    A database with encoding SQL_ASCII may hold bytes that are no characters, and
    PostgreSQL refuses to send them as text.
    """
    return f"""pg_catalog.convert_to({expression}, (
      CASE pg_catalog.getdatabaseencoding() WHEN 'SQL_ASCII' THEN 'SQL_ASCII'
      ELSE 'UTF8' END)::pg_catalog.name)"""


DESCENDANTS = """
  WITH RECURSIVE tree AS (
    SELECT i.inhrelid FROM pg_catalog.pg_inherits i WHERE i.inhparent = c.oid
    UNION SELECT i.inhrelid
    FROM pg_catalog.pg_inherits i JOIN tree t ON i.inhparent = t.inhrelid)
  SELECT pg_catalog.count(*) AS number,
         pg_catalog.sum(CASE WHEN k.reltuples >= 0 AND k.relkind <> 'p'
           THEN k.reltuples END)::bigint AS estimated_rows
  FROM tree JOIN pg_catalog.pg_class k ON k.oid = tree.inhrelid
"""
"""The partitions and inheritance children of c, and theirs."""

TABLE_COMMENT = "pg_catalog.obj_description(c.oid, 'pg_class')"

# constants of this module only; no input is ever put into these texts
SUMMARY = f"""
SELECT c.oid, n.nspname::text AS schema, c.relname::text AS name,
       c.relkind::text AS kind,
       CASE WHEN pg_catalog.row_security_active(c.oid) THEN NULL
            WHEN part.estimated_rows IS NULL
              THEN CASE WHEN c.reltuples >= 0 THEN c.reltuples::bigint END
            WHEN c.relkind = 'p' THEN part.estimated_rows
            ELSE part.estimated_rows + GREATEST(c.reltuples, 0)::bigint
       END AS estimated_rows,
       part.number AS partitions,
       {as_bytes(f"pg_catalog.left({TABLE_COMMENT}, {MOST})")} AS comment,
       pg_catalog.pg_table_is_visible(c.oid) AS visible
FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
CROSS JOIN LATERAL ({DESCENDANTS}) part
"""  # noqa: S608

LIST = f"""
WITH readable AS (
  SELECT c.oid, n.nspname, c.relname,
         n.nspname LIKE '\\_%' OR EXISTS (
           SELECT FROM pg_catalog.pg_depend d
           WHERE d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass
             AND d.objid = c.oid AND d.deptype = 'e') AS made_by_extension
  FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
  WHERE {READABLE} AND ($2::text IS NULL OR n.nspname = $2)),
shown AS (
  SELECT r.* FROM readable r
  WHERE $5::boolean OR NOT EXISTS (
    SELECT FROM pg_catalog.pg_inherits i JOIN readable parent
      ON parent.oid = i.inhparent WHERE i.inhrelid = r.oid)
  ORDER BY r.made_by_extension, r.nspname, r.relname LIMIT $3 OFFSET $4)
{SUMMARY} JOIN shown s ON s.oid = c.oid
ORDER BY s.made_by_extension, n.nspname, c.relname"""  # noqa: S608
"""A partition or child is shown only without its parent, or if $5 asks for it. Tables
of extensions, and of schemas whose name begins with an underscore, come last."""

SCHEMAS = f"""
SELECT DISTINCT n.nspname::text AS schema
FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE {READABLE} ORDER BY 1 LIMIT {MOST_SCHEMAS}"""  # noqa: S608

FIND = f"""{SUMMARY} WHERE {READABLE}
  AND c.relname = $2 AND ($3::text IS NULL OR n.nspname = $3)
ORDER BY visible DESC, n.nspname"""

DEFAULT = """CASE WHEN a.attgenerated <> '' THEN 'generated: ' ELSE '' END
         || pg_catalog.pg_get_expr(d.adbin, d.adrelid)"""
COLUMN_COMMENT = "pg_catalog.col_description(a.attrelid, a.attnum)"
COLUMNS = f"""
SELECT a.attname::text AS name,
       pg_catalog.format_type(a.atttypid, a.atttypmod) AS type,
       NOT a.attnotnull AS nullable,
       {as_bytes(f"pg_catalog.left({DEFAULT}, {MOST})")} AS default,
       {as_bytes(f"pg_catalog.left({COLUMN_COMMENT}, {MOST})")} AS comment
FROM pg_catalog.pg_attribute a
LEFT JOIN pg_catalog.pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
WHERE a.attrelid = $1 AND a.attnum > 0 AND NOT a.attisdropped
  AND pg_catalog.has_column_privilege(a.attrelid, a.attnum, 'SELECT')
ORDER BY a.attnum"""  # noqa: S608

KEYS = """
SELECT k.conname::text AS name, k.contype::text AS kind,
       ARRAY(SELECT a.attname::text
             FROM pg_catalog.unnest(k.conkey) WITH ORDINALITY AS u(number, place)
             JOIN pg_catalog.pg_attribute a
               ON a.attrelid = k.conrelid AND a.attnum = u.number
             ORDER BY u.place) AS columns,
       n.nspname::text AS other_schema, c.relname::text AS other_table,
       ARRAY(SELECT a.attname::text
             FROM pg_catalog.unnest(k.confkey) WITH ORDINALITY AS u(number, place)
             JOIN pg_catalog.pg_attribute a
               ON a.attrelid = k.confrelid AND a.attnum = u.number
             ORDER BY u.place) AS other_columns
FROM pg_catalog.pg_constraint k
LEFT JOIN pg_catalog.pg_class c ON c.oid = k.confrelid
LEFT JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE k.conrelid = $1 AND k.contype IN ('p', 'u', 'f')
ORDER BY k.conname"""

INDEXES = f"""
SELECT c.relname::text AS name, i.indisunique AS unique,
       pg_catalog.left(pg_catalog.pg_get_indexdef(i.indexrelid), {MOST}) AS definition
FROM pg_catalog.pg_index i JOIN pg_catalog.pg_class c ON c.oid = i.indexrelid
WHERE i.indrelid = $1 AND i.indisvalid ORDER BY c.relname"""  # noqa: S608


@dataclass(frozen=True, slots=True)
class TableName:
    """A table as a caller wrote it."""

    schema: str | None
    name: str


MOST_PARTS = 2
"""Of a table's name: schema and table."""


def parse_table_name(text: str) -> TableName:
    """Read `table`, `schema.table`, and either part in double quotes."""
    parts: list[str] = []
    rest = text.strip()
    while rest and len(parts) <= MOST_PARTS:
        part, rest = cut_identifier(rest)
        parts.append(part)
    match parts:
        case [name]:
            return TableName(None, name)
        case [schema, name]:
            return TableName(schema, name)
        case _:
            raise BadArgument("table takes a name such as orders or sales.orders.")


def cut_identifier(text: str) -> tuple[str, str]:
    """Return the first identifier, and what stands behind the dot after it."""
    if text.startswith('"'):
        end = 1
        while (end := text.find('"', end)) >= 0 and text[end : end + 2] == '""':
            end += 2
        if end < 0:
            raise BadArgument("table has an opening double quote without its end.")
        name, rest = text[1:end].replace('""', '"'), text[end + 1 :]
        if rest and not rest.startswith("."):
            raise BadArgument("table has text behind a closing double quote.")
        return name, rest[1:]
    name, _, rest = text.partition(".")
    return name.strip(), rest.strip()


async def list_tables(
    reader: PostgresReader,
    schema: str | None,
    window: tuple[int, int],
    *,
    include_partitions: bool = False,
) -> list[dict[str, Any]]:
    """Return tables and views in the order of their names.

    Args:
        reader: Of the database.
        schema: Only its tables; None for all.
        window: How many tables, and how many before them are left out.
        include_partitions: Also what is part of another table that is shown.
    """
    schemas = list(reader.backend.config.schemas)
    rest = (*window, include_partitions)
    rows = await reader.fetch_own(LIST, schemas, schema, *rest)
    if not rows and schema is not None and not window[1]:
        known = await find_schema(reader, schema)
        rows = await reader.fetch_own(LIST, schemas, known, *rest)
    return [describe_summary(row) for row in rows]


async def find_schema(reader: PostgresReader, written: str) -> str:
    """Return the schema that a caller means; raise BadArgument with those there are."""
    known = await list_schemas(reader)
    for name in (written, written.strip('"'), written.lower()):
        if name in known:
            return name
    there = ", ".join(known) or "none"
    raise BadArgument(
        f"There is no schema {written[:63]} with tables that this hub may read. There "
        f"are: {there}."
    )


async def list_schemas(reader: PostgresReader) -> list[str]:
    """Return the schemas with tables that can be read."""
    schemas = list(reader.backend.config.schemas)
    return [row["schema"] for row in await reader.fetch_own(SCHEMAS, schemas)]


async def describe_table(reader: PostgresReader, table: TableName) -> dict[str, Any]:
    """Return one table's columns, keys and indexes; raise BadArgument if unknown."""
    found = await find_table(reader, table)
    oid = found["oid"]
    keys = await reader.fetch_own(KEYS, oid)
    return {
        **describe_summary(found),
        "columns": [decode_texts(row) for row in await reader.fetch_own(COLUMNS, oid)],
        "primary_key": next((row["columns"] for row in keys if row["kind"] == "p"), []),
        "unique_keys": [
            {"name": row["name"], "columns": row["columns"]}
            for row in keys
            if row["kind"] == "u"
        ],
        "foreign_keys": [describe_reference(row) for row in keys if row["kind"] == "f"],
        "indexes": [dict(row) for row in await reader.fetch_own(INDEXES, oid)],
    }


async def find_table(reader: PostgresReader, table: TableName) -> Any:
    """Return the table's row: as written, else in lower case as SQL would read it."""
    schemas = list(reader.backend.config.schemas)
    for schema, name in (
        (table.schema, table.name),
        (table.schema and table.schema.lower(), table.name.lower()),
    ):
        rows = await reader.fetch_own(FIND, schemas, name, schema)
        if len(rows) == 1 or (rows and rows[0]["visible"]):
            return rows[0]
        if rows:
            places = ", ".join(f"{row['schema']}.{row['name']}" for row in rows[:5])
            raise BadArgument(f"There are several tables of that name: {places}.")
    raise BadArgument(
        f"There is no table of that name that this hub may read; "
        f"{reader.backend.name}_list_tables shows what there is."
    )


def describe_summary(row: Any) -> dict[str, Any]:
    """Return what a list shows of a table."""
    return {
        "schema": row["schema"],
        "name": row["name"],
        "kind": KINDS[row["kind"]],
        "estimated_rows": row["estimated_rows"],
        "partitions": row["partitions"],
        "comment": decode_text(row["comment"]),
    }


def decode_texts(row: Any) -> dict[str, Any]:
    """Return a row whose texts came as bytes."""
    return {name: decode_text(value) for name, value in row.items()}


def decode_text(value: Any) -> Any:
    r"""Return a text that came as bytes; what is no UTF-8 is written as `\xe9`."""
    if isinstance(value, bytes):
        return value.decode("utf-8", "backslashreplace")
    return value


def describe_reference(row: Any) -> dict[str, Any]:
    """Return a foreign key."""
    return {
        "name": row["name"],
        "columns": row["columns"],
        "references": {
            "schema": row["other_schema"],
            "table": row["other_table"],
            "columns": row["other_columns"],
        },
    }
