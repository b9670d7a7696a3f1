"""Holding statements to the schemas that a hub is given.

What a role may read is PostgreSQL's to decide; `schemas` narrows it for one hub. The
names in a statement are looked at before it runs: a qualified one by its schema, an
unqualified one by where the search path finds it. System catalogs stay readable, as
far as the guard lets them, but for those that hold values of other schemas' rows.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from pglast import ast, parse_sql

from mcphub_server.errors import Rejected
from mcphub_server.guards.sql.relations import BEYOND_SCHEMAS

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


def check_qualified(sql: str, schemas: Iterable[str]) -> list[str]:
    """Refuse a name of another schema; return the unqualified names.

    `sql` has passed the guard: it is one statement that parses.
    """
    allowed = SYSTEM | set(schemas)
    unqualified: list[str] = []
    for node in walk(parse_sql(sql)):
        if isinstance(node, ast.FuncCall) and node.funcname:
            check_beyond(str(node.funcname[-1].sval), schemas)
        if not isinstance(node, ast.RangeVar):
            continue
        schema, name = node.schemaname, str(node.relname)
        check_beyond(name, schemas)
        if schema is None:
            unqualified.append(name)
        elif schema not in allowed:
            raise refuse(schema, name, schemas)
    return unqualified


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


def walk(root: Any) -> Iterator[Any]:
    """Yield every node of a parse tree."""
    stack = [root]
    while stack:
        node = stack.pop()
        if isinstance(node, (tuple, list)):
            stack.extend(node)
        elif isinstance(node, ast.Node):
            yield node
            slots: Any = vars(type(node))["__slots__"]
            stack.extend(getattr(node, slot) for slot in slots)
