"""Ask a database which names its users defined that a statement might hit unawares.

PostgreSQL finds functions by name and argument types over the whole search path: a
user's lower(varchar) is called instead of pg_catalog's lower(text). `row.name` calls
a function where no such column exists. So a backend asks once when it connects and
gives the answer to the guard with every statement.
"""

from collections.abc import Iterable, Mapping

from mcphub_server.guards.sql.statement import ForeignNames

QUERY = """
SELECT 'function' AS kind, p.proname::text AS name
FROM pg_catalog.pg_proc p
JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace
WHERE n.nspname NOT IN ('pg_catalog', 'information_schema')
  AND n.nspname NOT LIKE 'pg\\_t%'
  AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend d
    WHERE d.classid = 'pg_catalog.pg_proc'::pg_catalog.regclass
      AND d.objid = p.oid AND d.deptype = 'e')
UNION
SELECT 'field', p.proname::text
FROM pg_catalog.pg_proc p
JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace
WHERE n.nspname NOT IN ('pg_catalog', 'information_schema')
  AND p.provolatile = 'v' AND p.prokind = 'f'
  AND p.pronargs >= 1 AND p.pronargs - p.pronargdefaults <= 1
  AND p.prorettype <> 'pg_catalog.trigger'::pg_catalog.regtype
  AND NOT EXISTS (SELECT FROM pg_catalog.pg_attribute a
    JOIN pg_catalog.pg_class c ON c.oid = a.attrelid
    WHERE a.attname = p.proname AND c.relkind IN ('r', 'v', 'm', 'f', 'p', 'c'))
UNION
SELECT 'operator', o.oprname::text
FROM pg_catalog.pg_operator o
JOIN pg_catalog.pg_namespace n ON n.oid = o.oprnamespace
WHERE n.nspname NOT IN ('pg_catalog', 'information_schema')
  AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend d
    WHERE d.classid = 'pg_catalog.pg_operator'::pg_catalog.regclass
      AND d.objid = o.oid AND d.deptype = 'e')
"""


def build_foreign_names(rows: Iterable[Mapping[str, str]]) -> ForeignNames:
    """Build the answer from QUERY's rows."""
    found: dict[str, set[str]] = {"function": set(), "field": set(), "operator": set()}
    for row in rows:
        found[row["kind"]].add(row["name"])
    return ForeignNames(
        functions=frozenset(found["function"]),
        fields=frozenset(found["field"]),
        operators=frozenset(found["operator"]),
    )
