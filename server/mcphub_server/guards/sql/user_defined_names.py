"""Ask a database which names its users defined that a statement might hit unawares.

PostgreSQL finds functions by name and argument types over the whole search path: a
user's lower(varchar) is called instead of pg_catalog's lower(text). `value.name` calls
a function where no such column exists, and a cast or an order may be a user's function.
So a backend asks once in a while, and gives the answer to the guard with every
statement.
"""

from collections.abc import Iterable, Mapping

from mcphub_server.guards.sql import functions
from mcphub_server.guards.sql.known_names import EXTENSION_FUNCTIONS
from mcphub_server.guards.sql.statement import UserDefinedNames

# "May do anything" is what VOLATILE says, the default: PostgreSQL itself keeps
# functions that are declared STABLE or IMMUTABLE from writing. An aggregate is always
# IMMUTABLE, so its parts are asked.
QUERY = """
WITH RECURSIVE own AS (
  SELECT p.oid, p.proname, p.prokind, p.pronargs, p.pronargdefaults, p.prorettype,
    p.proargtypes, p.proallargtypes, p.provolatile = 'v' OR EXISTS (
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
),
cast_end AS (
  SELECT t.oid, t.typnamespace = 'pg_catalog'::pg_catalog.regnamespace AS is_builtin
  FROM pg_catalog.pg_cast c JOIN own ON own.oid = c.castfunc
  JOIN pg_catalog.pg_type t ON t.oid IN (c.castsource, c.casttarget)
  WHERE own.is_volatile AND (
    t.typnamespace <> 'pg_catalog'::pg_catalog.regnamespace
    -- between two of PostgreSQL's own types, the target is what a statement names
    OR t.oid = c.casttarget AND NOT EXISTS (SELECT FROM pg_catalog.pg_type s
      WHERE s.oid = c.castsource
        AND s.typnamespace <> 'pg_catalog'::pg_catalog.regnamespace))
),
-- ORDER BY, DISTINCT, GROUP BY, UNION and max() call a type's operator class
order_end AS (
  SELECT c.opcintype AS oid
  FROM (
    SELECT amprocfamily AS family, amproc::pg_catalog.oid AS function
    FROM pg_catalog.pg_amproc
    UNION ALL
    SELECT m.amopfamily, o.oprcode::pg_catalog.oid
    FROM pg_catalog.pg_amop m JOIN pg_catalog.pg_operator o ON o.oid = m.amopopr
  ) s JOIN own ON own.oid = s.function
  JOIN pg_catalog.pg_opclass c ON c.opcfamily = s.family AND c.opcdefault
  JOIN pg_catalog.pg_type t ON t.oid = c.opcintype
    AND t.typnamespace <> 'pg_catalog'::pg_catalog.regnamespace
  WHERE own.is_volatile
),
part AS (
  SELECT oid AS whole, typelem AS part FROM pg_catalog.pg_type WHERE typelem <> 0
  UNION ALL
  SELECT oid, typbasetype FROM pg_catalog.pg_type WHERE typbasetype <> 0
  UNION ALL
  SELECT rngtypid, rngsubtype FROM pg_catalog.pg_range
  UNION ALL
  -- a column since PostgreSQL 14
  SELECT (pg_catalog.to_jsonb(r) ->> 'rngmultitypid')::pg_catalog.oid, rngtypid
  FROM pg_catalog.pg_range r
  UNION ALL
  SELECT k.contypid, d.refobjid -- a check that casts to another domain
  FROM pg_catalog.pg_constraint k
  JOIN pg_catalog.pg_depend d ON d.objid = k.oid
    AND d.classid = 'pg_catalog.pg_constraint'::pg_catalog.regclass
    AND d.refclassid = 'pg_catalog.pg_type'::pg_catalog.regclass
  WHERE k.contypid <> 0 AND d.refobjid <> k.contypid
  UNION ALL
  SELECT c.reltype, a.atttypid
  FROM pg_catalog.pg_attribute a JOIN pg_catalog.pg_class c ON c.oid = a.attrelid
  WHERE c.reltype <> 0 AND a.attnum > 0 AND NOT a.attisdropped
),
-- what contains such a type leads to it: as a column, an item, a domain's base
reached AS (
  SELECT 'cast' AS kind, oid, is_builtin FROM cast_end
  UNION
  SELECT 'cast', oid, false FROM order_end
  UNION
  SELECT 'check', k.contypid, false
  FROM pg_catalog.pg_constraint k
  JOIN pg_catalog.pg_depend d ON d.objid = k.oid
    AND d.classid = 'pg_catalog.pg_constraint'::pg_catalog.regclass
  LEFT JOIN pg_catalog.pg_operator o ON o.oid = d.refobjid
    AND d.refclassid = 'pg_catalog.pg_operator'::pg_catalog.regclass
  JOIN own ON own.oid = CASE d.refclassid
    WHEN 'pg_catalog.pg_proc'::pg_catalog.regclass THEN d.refobjid
    ELSE o.oprcode::pg_catalog.oid END
  WHERE own.is_volatile AND k.contypid <> 0
  UNION
  SELECT r.kind, part.whole, false
  FROM reached r JOIN part ON part.part = r.oid WHERE NOT r.is_builtin
),
-- what a call makes of its arguments is checked, whatever the function may do
unsafe AS (
  SELECT oid, proname FROM own WHERE is_volatile OR EXISTS (
    SELECT FROM reached r WHERE r.kind = 'check' AND (r.oid = own.prorettype
      OR r.oid = ANY (own.proargtypes) OR r.oid = ANY (own.proallargtypes)))
),
holding AS (
  SELECT r.oid FROM reached r JOIN pg_catalog.pg_type t ON t.oid = r.oid
  WHERE r.kind = 'check' AND t.typtype <> 'd'
  UNION
  SELECT t.oid FROM holding h JOIN pg_catalog.pg_type t ON t.typbasetype = h.oid
)
SELECT 'function' AS kind, proname::pg_catalog.text AS name FROM unsafe
UNION
SELECT 'shadow', proname::pg_catalog.text FROM unsafe
WHERE pg_catalog.pg_function_is_visible(oid)
UNION
SELECT 'operator', o.oprname::pg_catalog.text
FROM pg_catalog.pg_operator o JOIN unsafe ON unsafe.oid = o.oprcode
WHERE pg_catalog.pg_operator_is_visible(o.oid)
UNION
SELECT 'operator of any schema', o.oprname::pg_catalog.text
FROM pg_catalog.pg_operator o JOIN unsafe ON unsafe.oid = o.oprcode
UNION
SELECT 'checked column', a.attname::pg_catalog.text
FROM reached r JOIN pg_catalog.pg_attribute a ON a.atttypid = r.oid
WHERE r.kind = 'check' AND a.attnum > 0
UNION
SELECT 'container', a.attname::pg_catalog.text
FROM holding JOIN pg_catalog.pg_attribute a ON a.atttypid = holding.oid
WHERE a.attnum > 0
UNION
SELECT 'field ' || CASE WHEN own.oid IS NOT NULL THEN 'own'
    WHEN p.pronamespace = 'pg_catalog'::pg_catalog.regnamespace THEN 'catalog'
    ELSE 'extension' END, p.proname::pg_catalog.text
FROM pg_catalog.pg_proc p
JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace
LEFT JOIN own ON own.oid = p.oid
WHERE n.nspname = ANY (pg_catalog.current_schemas(true)) AND p.prokind <> 'p'
  AND p.pronargs >= 1 AND p.pronargs - p.pronargdefaults <= 1
UNION
SELECT r.kind, t.typname::pg_catalog.text
FROM reached r JOIN pg_catalog.pg_type t ON t.oid = r.oid
"""

_FIELDS = {
    "shadow": "shadows",
    "function": "functions",
    "operator": "operators",
    "operator of any schema": "all_operators",
    "cast": "casts",
    "check": "checks",
    "checked column": "checked_columns",
    "container": "containers",
    "field own": "fields",
    "field catalog": "fields",
    "field extension": "fields",
}

_HARMLESS_FIELDS: Mapping[str, frozenset[str]] = {
    "field catalog": functions.BUILT_IN,
    "field extension": functions.EXTENSIONS | EXTENSION_FUNCTIONS,
}
"""Functions that may be called may be called by any notation; PostGIS's casts, such as
path, as fields only: `(ST_Dump(g)).path` is a column and reads like one."""


def build_user_defined_names(rows: Iterable[Mapping[str, str]]) -> UserDefinedNames:
    """Build the answer from QUERY's rows."""
    found: dict[str, set[str]] = {field: set() for field in _FIELDS.values()}
    for row in rows:
        kind, name = row["kind"], row["name"]
        if name not in _HARMLESS_FIELDS.get(kind, frozenset()):
            found[_FIELDS[kind]].add(name)
    return UserDefinedNames(
        **{field: frozenset(names) for field, names in found.items()}
    )
