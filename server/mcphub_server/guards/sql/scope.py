"""Holding statements to the schemas that a hub is given.

What a role may read is PostgreSQL's to decide; `schemas` narrows it for one hub. The
names in a statement are looked at before it runs: a qualified one by its schema, an
unqualified one by where the search path finds it. System catalogs stay readable, as
far as the guard lets them, but for those that hold values of other schemas' rows.
"""

from collections.abc import Iterable, Sequence
from typing import Any

from mcphub_server.errors import Rejected
from mcphub_server.guards.sql.closed_columns import check_closed
from mcphub_server.guards.sql.relations import BEYOND_SCHEMAS
from mcphub_server.guards.sql.statement import SqlStatement

SYSTEM = frozenset({"pg_catalog", "information_schema"})

FIND_SCHEMAS = """
SELECT n.nspname::text AS schema, c.relname::text AS name
FROM pg_catalog.unnest($1::text[]) AS u(name)
JOIN pg_catalog.pg_class c
  ON c.oid = pg_catalog.to_regclass(pg_catalog.quote_ident(u.name))
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace"""


def build_search_path(schemas: Sequence[str]) -> str:
    """Return SQL that looks into these schemas first, empty for none."""
    if not schemas:
        return ""
    quoted = ", ".join('"' + schema.replace('"', '""') + '"' for schema in schemas)
    return f'; SET LOCAL search_path = {quoted}, "$user", public'


def check_qualified(statement: SqlStatement, schemas: Iterable[str]) -> list[str]:
    """Refuse a name of another schema; return the unqualified names."""
    allowed = SYSTEM | set(schemas)
    uses = statement.uses
    for name in (
        *(call.name for call in uses.calls),
        *(field.name for field in uses.fields if not field.owners),
        *(relation.name for relation in uses.relations),
    ):
        check_beyond(name, schemas)
    check_closed(statement.closed_columns, has_schemas=True)
    for schema, name in uses.relations:
        if schema is not None and schema not in allowed:
            raise refuse(schema, name, schemas)
    return sorted(name for schema, name in uses.relations if schema is None)


def check_beyond(name: str, schemas: Iterable[str]) -> None:
    """Refuse what shows values of all schemas, wherever it was installed."""
    problem = BEYOND_SCHEMAS.get(name)
    if problem:
        raise Rejected(
            "scope/schema",
            f"{name} {problem}, and this hub reads some only.",
            f"Read from {', '.join(sorted(schemas))}.",
        )


def check_found(rows: Iterable[Any], schemas: Iterable[str]) -> None:
    """Refuse an unqualified name that the search path finds in another schema."""
    allowed = SYSTEM | set(schemas)
    for row in rows:
        if row["schema"] not in allowed:
            raise refuse(row["schema"], row["name"], schemas)


def refuse(schema: str, name: str, schemas: Iterable[str]) -> Rejected:
    """Say which schemas are there instead."""
    return Rejected(
        "scope/schema",
        f"{schema}.{name} is outside this hub's schemas.",
        f"Read from {', '.join(sorted(schemas))}.",
    )
