"""What can be wrong with a database, asked of its own statistics: fixed statements.

Each check returns texts: which object, and what was found there. `$1` are the schemas
that the hub may use; other databases of the server are never looked at. A role without
`pg_monitor` sees less, and `FIND_RIGHTS` tells so.
"""

from dataclasses import dataclass

MOST_FINDINGS = 50
"""Of one check."""

LONGEST_STATEMENT = 500
LARGEST_COUNT = 1_000
OLD_TRANSACTIONS = 150_000_000
"""Autovacuum begins to freeze a table against its will at 200 million by default."""

LONG_SECONDS = 60
"""A transaction that is open for longer keeps vacuum from its work."""

_SHOWN = """n.nspname NOT IN ('pg_catalog', 'information_schema')
  AND n.nspname NOT LIKE 'pg\\_toast%' AND n.nspname NOT LIKE 'pg\\_temp%'
  AND (pg_catalog.cardinality($1::text[]) = 0 OR n.nspname = ANY ($1::text[]))"""

_INDEXES = """FROM pg_catalog.pg_index i
JOIN pg_catalog.pg_class x ON x.oid = i.indexrelid
JOIN pg_catalog.pg_class c ON c.oid = i.indrelid
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace"""

_SIZE = "pg_catalog.pg_size_pretty(pg_catalog.pg_relation_size(x.oid))"

_OTHERS = """FROM pg_catalog.pg_stat_activity a
WHERE a.datname = pg_catalog.current_database() AND a.pid <> pg_catalog.pg_backend_pid()
  AND a.backend_type = 'client backend'"""

_WHO = "'process ' || a.pid || ' of ' || coalesce(a.usename::text, 'an unknown role')"
_STATEMENT = f"pg_catalog.left(a.query, {LONGEST_STATEMENT})"


@dataclass(frozen=True, slots=True)
class Check:
    """One thing to look for.

    Attributes:
        problem: What it is called.
        advice: What to do about it.
        sql: Returns `object` and `detail`, the worst first.
    """

    problem: str
    advice: str
    sql: str


FIND_RIGHTS = """
SELECT pg_catalog.pg_has_role(current_user, 'pg_read_all_stats', 'USAGE') AS sees_all"""

INVALID_INDEXES = Check(
    "invalid index",
    "Drop it and create it again with CREATE INDEX CONCURRENTLY: it is written to and "
    "never read.",
    f"""SELECT n.nspname || '.' || x.relname AS object,
  'on ' || c.relname || ', ' || {_SIZE} AS detail {_INDEXES}
WHERE NOT i.indisvalid AND c.relkind <> 'p' AND {_SHOWN} ORDER BY 1""",
)

DUPLICATE_INDEXES = Check(
    "duplicate index",
    "Drop one of the two, if no constraint needs it.",
    f"""SELECT n.nspname || '.' || x.relname AS object,
  'the same as ' || y.relname || ' on ' || c.relname || ', ' || {_SIZE} AS detail
{_INDEXES}
JOIN pg_catalog.pg_index j ON j.indrelid = i.indrelid AND j.indexrelid <> i.indexrelid
  AND j.indkey::text = i.indkey::text AND j.indclass::text = i.indclass::text
  AND j.indcollation::text = i.indcollation::text
  AND j.indoption::text = i.indoption::text
  AND coalesce(j.indexprs::text, '') = coalesce(i.indexprs::text, '')
  AND coalesce(j.indpred::text, '') = coalesce(i.indpred::text, '')
  AND (j.indisunique OR NOT i.indisunique)
  AND i.indisvalid AND j.indisvalid  -- else the advice could cost the good one
JOIN pg_catalog.pg_class y ON y.oid = j.indexrelid
WHERE (j.indisunique AND NOT i.indisunique OR y.relname < x.relname) AND {_SHOWN}
ORDER BY pg_catalog.pg_relation_size(x.oid) DESC, 1""",
)

UNUSED_INDEXES = Check(
    "unused index",
    "Drop it, after a look at the replicas and at rare jobs: no scan has used it since "
    "the statistics began.",
    f"""SELECT n.nspname || '.' || x.relname AS object,
  'on ' || c.relname || ', ' || {_SIZE} || coalesce(', statistics since '
  || (SELECT d.stats_reset::date FROM pg_catalog.pg_stat_database d
      WHERE d.datname = pg_catalog.current_database()), '') AS detail {_INDEXES}
JOIN pg_catalog.pg_stat_all_indexes s ON s.indexrelid = i.indexrelid
WHERE s.idx_scan = 0 AND i.indisvalid AND NOT i.indisunique
  AND NOT EXISTS (SELECT FROM pg_catalog.pg_constraint k WHERE k.conindid = x.oid)
  AND {_SHOWN}
ORDER BY pg_catalog.pg_relation_size(x.oid) DESC, 1""",  # noqa: S608
)

UNINDEXED_REFERENCES = Check(
    "foreign key without an index",
    "Create an index on these columns: deleting or changing a referenced row reads the "
    "whole table.",
    f"""SELECT n.nspname || '.' || c.relname AS object,
  k.conname || ' (' || (SELECT pg_catalog.string_agg(a.attname, ', ' ORDER BY u.place)
    FROM pg_catalog.unnest(k.conkey) WITH ORDINALITY AS u(number, place)
    JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attnum = u.number)
  || ') references ' || r.relname AS detail
FROM pg_catalog.pg_constraint k
JOIN pg_catalog.pg_class c ON c.oid = k.conrelid
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
JOIN pg_catalog.pg_class r ON r.oid = k.confrelid
WHERE k.contype = 'f' AND {_SHOWN} AND NOT EXISTS (
  SELECT FROM pg_catalog.pg_index i
  WHERE i.indrelid = c.oid AND i.indisvalid AND i.indpred IS NULL
    AND (i.indkey::int2[])[0:pg_catalog.cardinality(k.conkey) - 1] @> k.conkey)
ORDER BY c.reltuples DESC, 1, 2""",  # noqa: S608
)

DEAD_ROWS = Check(
    "many dead rows",
    "Run VACUUM (ANALYZE) on it, and look why autovacuum does not: a long transaction, "
    "or its settings.",
    f"""SELECT n.nspname || '.' || c.relname AS object,
  s.n_dead_tup || ' dead rows beside ' || s.n_live_tup || ' live ones; last vacuum '
  || coalesce(greatest(s.last_vacuum, s.last_autovacuum)::text, 'never') AS detail
FROM pg_catalog.pg_stat_all_tables s JOIN pg_catalog.pg_class c ON c.oid = s.relid
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE s.n_dead_tup > {LARGEST_COUNT} AND s.n_dead_tup > s.n_live_tup / 5 AND {_SHOWN}
ORDER BY s.n_dead_tup DESC, 1""",  # noqa: S608
)

NEVER_ANALYZED = Check(
    "never analyzed",
    "Run ANALYZE on it: the planner guesses what is in it.",
    f"""SELECT n.nspname || '.' || c.relname AS object,
  'about ' || s.n_live_tup || ' rows' AS detail
FROM pg_catalog.pg_stat_all_tables s JOIN pg_catalog.pg_class c ON c.oid = s.relid
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE s.last_analyze IS NULL AND s.last_autoanalyze IS NULL
  AND s.n_live_tup > {LARGEST_COUNT} AND {_SHOWN}
  AND NOT EXISTS (SELECT FROM pg_catalog.pg_stats t
    WHERE t.schemaname = n.nspname AND t.tablename = c.relname)
ORDER BY s.n_live_tup DESC, 1""",  # noqa: S608
)

NO_AUTOVACUUM = Check(
    "autovacuum is off",
    "Reset the table's storage parameter autovacuum_enabled, or vacuum it by a job.",
    f"""SELECT n.nspname || '.' || c.relname AS object,
  'autovacuum_enabled is off for this table' AS detail
FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE EXISTS (SELECT FROM pg_catalog.pg_options_to_table(c.reloptions) o
    WHERE o.option_name = 'autovacuum_enabled'
      AND o.option_value IN ('false', 'off', 'no', '0')) AND {_SHOWN}
ORDER BY 1""",  # noqa: S608
)

OLD_TABLES = Check(
    "old transaction ids",
    "Run VACUUM (FREEZE) on it in a quiet hour: at 2 billion the database stops "
    "writing.",
    f"""SELECT n.nspname || '.' || c.relname AS object,
  'its oldest row is ' || pg_catalog.age(c.relfrozenxid) || ' transactions old'
  AS detail
FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'm') AND {_SHOWN}
  AND pg_catalog.age(c.relfrozenxid) > {OLD_TRANSACTIONS}
ORDER BY pg_catalog.age(c.relfrozenxid) DESC, 1""",  # noqa: S608
)

WAITING = Check(
    "waits for a lock",
    "Look at the process that blocks it; end its transaction, or cancel it with "
    "pg_cancel_backend.",
    f"""SELECT {_WHO} AS object,
  'is blocked by '
  || pg_catalog.array_to_string(pg_catalog.pg_blocking_pids(a.pid), ', ')
  || ': ' || {_STATEMENT} AS detail {_OTHERS}
  AND pg_catalog.cardinality(pg_catalog.pg_blocking_pids(a.pid)) > 0
  AND $1::text[] IS NOT NULL ORDER BY a.xact_start, a.pid""",
)

LONG_TRANSACTIONS = Check(
    "long transaction",
    "End it: while it is open, vacuum removes no row that it could see, and its locks "
    "stay.",
    f"""SELECT {_WHO} AS object,
  a.state || ', transaction open for '
  || extract(epoch FROM pg_catalog.clock_timestamp() - a.xact_start)::bigint
  || ' s: ' || {_STATEMENT} AS detail {_OTHERS}
  AND a.xact_start < pg_catalog.clock_timestamp()
    - pg_catalog.make_interval(secs => $2::float8)
  AND $1::text[] IS NOT NULL ORDER BY a.xact_start, a.pid""",  # noqa: S608
)

PREPARED = Check(
    "prepared transaction",
    "COMMIT PREPARED or ROLLBACK PREPARED it, if its coordinator has forgotten it.",
    """SELECT p.gid AS object, 'of ' || p.owner || ', since ' || p.prepared AS detail
FROM pg_catalog.pg_prepared_xacts p
WHERE p.database = pg_catalog.current_database() AND $1::text[] IS NOT NULL
  AND p.prepared < pg_catalog.clock_timestamp()
    - pg_catalog.make_interval(secs => $2::float8)
ORDER BY p.prepared""",
)

INDEX_HEALTH = (
    INVALID_INDEXES,
    DUPLICATE_INDEXES,
    UNUSED_INDEXES,
    UNINDEXED_REFERENCES,
)
VACUUM_HEALTH = (OLD_TABLES, DEAD_ROWS, NO_AUTOVACUUM, NEVER_ANALYZED)
ACTIVITY = (WAITING, LONG_TRANSACTIONS, PREPARED)

FIND_EXTENSION = """
SELECT pg_catalog.quote_ident(n.nspname) AS schema
FROM pg_catalog.pg_extension e JOIN pg_catalog.pg_namespace n ON n.oid = e.extnamespace
WHERE e.extname = $1"""

ORDERS = {"total_time": "total", "mean_time": "mean", "calls": "calls"}


def build_top_statements(schema: str, release: int) -> str:
    """Return the statement that reads pg_stat_statements.

    Args:
        schema: Where the extension is, quoted by the database.
        release: Of the server; 13 renamed the times.
    """
    exec_ = "exec_" if release >= 13 else ""  # noqa: PLR2004 -- see above
    return f"""
SELECT pg_catalog.left(s.query, {LONGEST_STATEMENT}) AS statement, s.calls,
  pg_catalog.round(s.total_{exec_}time::numeric, 1)::float8 AS total_ms,
  pg_catalog.round(s.mean_{exec_}time::numeric, 3)::float8 AS mean_ms, s.rows,
  s.shared_blks_read AS blocks_read
FROM {schema}.pg_stat_statements s
WHERE s.dbid = (SELECT d.oid FROM pg_catalog.pg_database d
                WHERE d.datname = pg_catalog.current_database())
ORDER BY CASE $1::text WHEN 'calls' THEN s.calls WHEN 'mean_time'
  THEN s.mean_{exec_}time ELSE s.total_{exec_}time END DESC, s.queryid
LIMIT $2"""  # noqa: S608
