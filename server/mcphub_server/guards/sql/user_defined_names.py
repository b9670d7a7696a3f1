"""Ask a database which names its users defined that a statement might hit unawares.

PostgreSQL finds functions by name and argument types over the whole search path: a
user's lower(varchar) is called instead of pg_catalog's lower(text). `row.name` calls
a function where no such column exists. So a backend asks once when it connects and
gives the answer to the guard with every statement.
"""

from collections.abc import Iterable, Mapping

from mcphub_server.guards.sql.statement import UserDefinedNames

# "May do anything" is what VOLATILE says, the default: PostgreSQL itself keeps
# functions that are declared STABLE or IMMUTABLE from writing. An aggregate is always
# IMMUTABLE, so its parts are asked.
QUERY = """
WITH own AS (
  SELECT p.oid, p.proname, p.prokind, p.pronargs, p.pronargdefaults, p.prorettype,
    p.provolatile = 'v' OR EXISTS (
      SELECT FROM pg_catalog.pg_aggregate a JOIN pg_catalog.pg_proc part ON part.oid IN
        (a.aggtransfn, a.aggfinalfn, a.aggcombinefn, a.aggmtransfn, a.aggmfinalfn)
      WHERE a.aggfnoid = p.oid AND part.provolatile = 'v') AS is_volatile
  FROM pg_catalog.pg_proc p
  JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace
  WHERE n.nspname NOT IN ('pg_catalog', 'information_schema')
    AND p.prorettype <> 'pg_catalog.trigger'::pg_catalog.regtype
    AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend d
      WHERE d.classid = 'pg_catalog.pg_proc'::pg_catalog.regclass
        AND d.objid = p.oid AND d.deptype = 'e')
)
SELECT 'function' AS kind, proname::pg_catalog.text AS name FROM own WHERE is_volatile
UNION
SELECT 'shadow', proname::pg_catalog.text FROM own
WHERE is_volatile AND pg_catalog.pg_function_is_visible(oid)
UNION
SELECT 'field', proname::pg_catalog.text FROM own
WHERE is_volatile AND prokind = 'f' AND pg_catalog.pg_function_is_visible(oid)
  AND pronargs >= 1 AND pronargs - pronargdefaults <= 1
  AND NOT EXISTS (SELECT FROM pg_catalog.pg_attribute a
    JOIN pg_catalog.pg_class c ON c.oid = a.attrelid
    WHERE a.attname = own.proname AND c.relkind IN ('r', 'v', 'm', 'f', 'p', 'c'))
UNION
SELECT 'operator', o.oprname::pg_catalog.text
FROM pg_catalog.pg_operator o JOIN own ON own.oid = o.oprcode
WHERE own.is_volatile AND pg_catalog.pg_operator_is_visible(o.oid)
"""

_FIELDS = {
    "shadow": "shadows",
    "function": "functions",
    "field": "fields",
    "operator": "operators",
}


def build_user_defined_names(rows: Iterable[Mapping[str, str]]) -> UserDefinedNames:
    """Build the answer from QUERY's rows."""
    found: dict[str, set[str]] = {field: set() for field in _FIELDS.values()}
    for row in rows:
        found[_FIELDS[row["kind"]]].add(row["name"])
    return UserDefinedNames(
        **{field: frozenset(names) for field, names in found.items()}
    )
