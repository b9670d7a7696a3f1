"""Derive the SQL guard's lists of known names from catalogs and extensions' scripts.

    python -m tools.derive_known_names --server DSN … --script FILE …

writes `guards/sql/known_names.toml`. A DSN's role must be a superuser of a scratch
database: the extensions whose functions are wanted are created in it first. Of several
servers, all names count. A script is what CREATE EXTENSION runs, named
`postgis--3.6.2.sql`: for extensions that no server at hand has in a recent release.

The principle: a function is read-only when all of its overloads that SQL can call are
immutable or stable, or are named below as volatile but harmless, and none is named
below as stable but unfit. A refused name wins over an allowed one.
"""

import argparse
import asyncio
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from textwrap import wrap
from typing import Any

import asyncpg
from pglast import ast, enums, parse_sql

TARGET = Path(__file__).parents[1] / "server/mcphub_server/guards/sql/known_names.toml"

EXTENSIONS = (
    "citext", "cube", "earthdistance", "fuzzystrmatch", "hstore", "intarray", "isn",
    "ltree", "pg_trgm", "pgcrypto", "seg", "unaccent", "uuid-ossp",
)  # fmt: skip

VOLATILE_BUT_HARMLESS = frozenset(
    """clock_timestamp gen_random_uuid random random_normal timeofday
    array_sample array_shuffle uuidv4 uuidv7
    pg_blocking_pids pg_collation_actual_version pg_database_size pg_indexes_size
    pg_is_in_recovery pg_jit_available pg_partition_ancestors pg_partition_tree
    pg_relation_size pg_table_size pg_tablespace_size pg_total_relation_size
    pg_last_xact_replay_timestamp pg_stat_get_xact_numscans
    pg_current_wal_flush_lsn pg_current_wal_insert_lsn pg_current_wal_lsn
    pg_get_wal_replay_pause_state pg_is_wal_replay_paused
    pg_last_wal_receive_lsn pg_last_wal_replay_lsn
    gen_random_bytes uuid_generate_v1 uuid_generate_v1mc uuid_generate_v4
    st_generatepoints st_clusterkmeans st_symmetricdifference""".split()
)

STABLE_BUT_UNFIT = re.compile(
    r"""
    .*_(to|and)_xml(schema)?        # runs a string as SQL, or pours out a whole schema
  | ts_stat | ts_rewrite            # run a string as SQL
  | crosstab.* | connectby | xpath_table   # likewise, in extensions
  | xslt_process | crypt | gen_salt | pgp_.*   # network, or CPU without end
  | current_setting                 # judged by its argument instead
  | txid_current | pg_current_xact_id      # takes a transaction id
  | pg_cursor | pg_prepared_statement      # what other callers of the pool sent
  | pg_config | pg_tablespace_location | pg_relation_filepath | pg_options_to_table
  | pg_stat_get_(backend_)?activity   # what other clients asked
  | pg_show_all_settings | pg_stat_get_wal_receiver | pg_stat_get_wal_senders
  | pg_get_replication_slots | pg_stat_get_replication_slot
  | pg_event_trigger_.* | fmgr_.* | postgresql_fdw_validator | plpgsql_.*
  | binary_upgrade_.* | isn_weak | set_limit | lo_.* | .*_fdw_.*
  | addauth | checkauth | (un)?lockrows? | .*longtransactions.*   # PostGIS's locks
  | st_fromflatgeobuftotable | st_findextent      # makes a table; runs a string as SQL
  | _postgis_.* | st_estimated_?extent   # read statistics of any table, policies or not
    """,
    re.VERBOSE,
)

FUNCTIONS = """
select p.proname, p.provolatile::text as volatility, e.extname as extension
from pg_proc p
left join pg_depend d on d.classid = 'pg_proc'::regclass and d.objid = p.oid
  and d.deptype = 'e'
left join pg_extension e on e.oid = d.refobjid
where (p.pronamespace = 'pg_catalog'::regnamespace and e.oid is null
       or e.extname = any($1::text[]))
  and p.prokind in ('f', 'w', 'a')
  and not p.proargtypes::oid[] && array['internal'::regtype::oid, 'cstring'::regtype]
  and p.prorettype::regtype::text not in ('internal', 'cstring', 'trigger',
    'event_trigger', 'language_handler', 'fdw_handler', 'index_am_handler',
    'table_am_handler', 'tsm_handler')
"""

TYPES = """
select typname from pg_type
where typnamespace = 'pg_catalog'::regnamespace and typtype in ('b', 'r', 'm')
  and typname !~ '^_' and typrelid = 0
"""

SETTINGS = """
select lower(name) from pg_settings where vartype <> 'string' and name !~ '[.]'
"""
# texts may be a path, a command or a password

OPERATORS = """
select o.oprname, e.extname as extension
from pg_operator o
left join pg_depend d on d.classid = 'pg_operator'::regclass and d.objid = o.oid
  and d.deptype = 'e'
left join pg_extension e on e.oid = d.refobjid
where e.oid is null and o.oprnamespace = 'pg_catalog'::regnamespace
   or e.extname = any($1::text[])
"""

VERSIONS = (
    "select extname, extversion from pg_extension where extname = any($1::text[])"
)

UNCALLABLE_TYPES = frozenset(
    """internal cstring trigger event_trigger language_handler fdw_handler
    index_am_handler table_am_handler tsm_handler""".split()
)

HEADING = """\
# Names that PostgreSQL and its usual extensions bring, judged for the SQL guard.
#
# Generated by tools/derive_known_names.py; do not edit. What catalogs cannot tell is in
# `functions.py`. An integration test compares this file with a running server.
"""


@dataclass(slots=True)
class Names:
    """What one server or extension brings."""

    versions: set[str] = field(default_factory=set)
    functions: set[tuple[str, str]] = field(default_factory=set)
    types: set[str] = field(default_factory=set)
    operators: set[str] = field(default_factory=set)
    settings: set[str] = field(default_factory=set)


Found = dict[str | None, Names]
"""By extension; None is PostgreSQL itself."""


def is_fit(name: str, volatility: str) -> bool:
    """Say whether one overload may be called by a read-only statement."""
    if STABLE_BUT_UNFIT.fullmatch(name):
        return False
    return volatility in "is" or name in VOLATILE_BUT_HARMLESS


def split_names(rows: Iterable[tuple[str, str]]) -> tuple[list[str], list[str]]:
    """Split (name, volatility) pairs into allowed and refused names."""
    pairs = set(rows)
    refused = {name for name, volatility in pairs if not is_fit(name, volatility)}
    return sorted({name for name, _ in pairs} - refused), sorted(refused)


async def read_server(dsn: str, found: Found) -> None:
    """Add what a server's catalog has."""
    connection = await asyncpg.connect(dsn)
    try:
        for extension in EXTENSIONS:
            await connection.execute(f'create extension if not exists "{extension}"')
        wanted = list(EXTENSIONS)
        own = found.setdefault(None, Names())
        own.versions.add((await connection.fetchval("show server_version")).split()[0])
        own.types |= {row[0] for row in await connection.fetch(TYPES)}
        own.settings |= {row[0] for row in await connection.fetch(SETTINGS)}
        for name, version in await connection.fetch(VERSIONS, wanted):
            found.setdefault(name, Names()).versions.add(version)
        for name, volatility, extension in await connection.fetch(FUNCTIONS, wanted):
            found[extension].functions.add((name, volatility))
        for name, extension in await connection.fetch(OPERATORS, wanted):
            found[extension].operators.add(name)
    finally:
        await connection.close()


def read_script(path: Path, found: Found) -> None:
    """Add what an extension's script makes."""
    extension, _, version = path.stem.partition("--")
    names = found.setdefault(extension, Names())
    names.versions.add(version)
    for statement in parse_script(path.read_text()):
        if isinstance(statement, ast.CreateFunctionStmt):
            if is_callable(statement):
                names.functions.add((last(statement.funcname), volatility(statement)))
        elif isinstance(statement, ast.DefineStmt):
            if statement.kind == enums.ObjectType.OBJECT_AGGREGATE:
                names.functions.add((last(statement.defnames), "i"))
            elif statement.kind == enums.ObjectType.OBJECT_OPERATOR:
                names.operators.add(last(statement.defnames))


def parse_script(text: str) -> Iterator[Any]:
    """Yield the statements of an extension's script."""
    lines = (line for line in text.splitlines() if not line.startswith("\\"))
    plain = "\n".join(lines).replace("@extschema@.", "")
    for raw in parse_sql(plain):
        yield raw.stmt


def is_callable(function: Any) -> bool:
    """Tell whether SQL can call a function that a script makes."""
    types = [parameter.argType for parameter in function.parameters or ()]
    kinds = {last(each.names) for each in (*types, function.returnType) if each}
    return not kinds & UNCALLABLE_TYPES and not function.is_procedure


def volatility(function: Any) -> str:
    """Return a function's volatility as the catalog writes it."""
    for option in function.options or ():
        if option.defname == "volatility":
            return str(option.arg.sval)[0]
    return "v"


def last(names: Any) -> str:
    """Return a name without its schema."""
    return str(names[-1].sval)


def render(found: Found) -> str:
    """Write the file's text."""
    parts = [HEADING, *render_section("postgresql", found[None])]
    for extension in sorted(key for key in found if key is not None):
        parts += render_section(f'extensions."{extension}"', found[extension])
    return "\n".join(parts) + "\n"


def render_section(title: str, names: Names) -> Iterator[str]:
    """Yield the lines of one server or extension."""
    allowed, refused = split_names(names.functions)
    versions = sorted(names.versions, key=lambda text: [*map(int, text.split("."))])
    yield f"[{title}]"
    quoted = ", ".join(f'"{version}"' for version in versions)
    yield f"versions = [{quoted}]"
    for key, words in (
        ("functions", allowed),
        ("refused_functions", refused),
        ("types", sorted(names.types)),
        ("operators", sorted(names.operators)),
        ("settings", sorted(names.settings)),
    ):
        if words:
            lines = wrap(
                " ".join(words), 88, break_long_words=False, break_on_hyphens=False
            )
            yield "\n".join([f"{key} = '''", *lines, "'''"])
    yield ""


async def derive(servers: Iterable[str], scripts: Iterable[Path] = ()) -> str:
    """Return the file's text."""
    found: Found = {}
    for dsn in servers:
        await read_server(dsn, found)
    for path in scripts:
        read_script(path, found)
    return render(found)


def main() -> None:
    """Write the file."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--server", nargs="+", required=True, metavar="DSN")
    parser.add_argument("--script", nargs="*", type=Path, default=[], metavar="FILE")
    arguments = parser.parse_args()
    TARGET.write_text(asyncio.run(derive(arguments.server, arguments.script)))


if __name__ == "__main__":
    main()
