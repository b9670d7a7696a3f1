"""A database with the extensions that Debian packages: what works, what does not.

Own target (`make test-extensions`): PostGIS brings a hundred megabytes of libraries.
"""

import json
from collections.abc import AsyncIterator, Iterator
from typing import Any

import asyncpg
import pytest

from mcphub_server.errors import Rejected
from mcphub_server.guards.sql.rules import is_allowed
from tests.support.guarded_sql import GuardedDatabase, read_contents
from tests.support.ordinary import read_statements
from tests.support.postgres import (
    ADMIN,
    ADMIN_PASSWORD,
    ensure_extension,
    running_postgres,
)

DATABASE = "shop"
EXTENSIONS = """
adminpack amcheck autoinc bloom btree_gin btree_gist citext cube dblink dict_int
dict_xsyn earthdistance file_fdw fuzzystrmatch hstore insert_username intagg intarray
isn lo ltree moddatetime pageinspect pg_buffercache pg_freespacemap pg_prewarm
pg_stat_statements pg_trgm pg_visibility pgcrypto pgrowlocks pgstattuple postgis
postgis_topology postgres_fdw refint seg sslinfo tablefunc tcn tsm_system_rows
tsm_system_time unaccent uuid-ossp xml2
""".split()

SCHEMA = """
CREATE TABLE places (id int, name citext, tags hstore, path ltree, geom geometry);
INSERT INTO places SELECT n, 'Place ' || n, hstore('k', n::text), 'a.b',
  ST_SetSRID(ST_Point(8 + n / 10.0, 50 + n / 10.0), 4326) FROM generate_series(1, 9) n;
CREATE INDEX ON places USING gist (geom);
"""

FUNCTIONS = """
SELECT DISTINCT p.proname::text AS name, p.provolatile::text AS volatility
FROM pg_proc p JOIN pg_depend d ON d.classid = 'pg_proc'::regclass
  AND d.objid = p.oid AND d.deptype = 'e'
JOIN pg_extension e ON e.oid = d.refobjid
WHERE e.extname NOT IN ('postgis_topology')
  AND p.prorettype NOT IN ('trigger'::regtype, 'internal'::regtype)
"""

HARMLESS = {
    "gen_random_bytes", "gen_random_uuid", "uuid_generate_v1", "uuid_generate_v1mc",
    "uuid_generate_v4", "st_generatepoints", "st_symmetricdifference",
    "st_clusterkmeans",
}  # fmt: skip
"""Volatile, and only so because they differ from call to call."""

REFUSED = """
SELECT dblink_connect('host=127.0.0.1')
SELECT * FROM dblink('host=127.0.0.1', 'SELECT 1') AS t(x int)
SELECT dblink_exec('host=127.0.0.1', 'DELETE FROM places')
SELECT ('host=127.0.0.1'::text).dblink_connect
SELECT public.dblink_send_query('c', 'x')
SELECT x.dblink_connect FROM unnest(ARRAY['host=127.0.0.1']) AS x
SELECT pg_file_write('/tmp/x', 'y', false)
SELECT pg_file_unlink('/tmp/x')
SELECT pg_file_rename('/tmp/x', '/tmp/y')
SELECT * FROM pg_logdir_ls() AS t(a timestamp, b text)
SELECT pg_prewarm('places')
SELECT * FROM crosstab('DELETE FROM places RETURNING 1, 2, 3') AS t(a int, b int)
SELECT * FROM connectby('places', 'id', 'id', '1', 0) AS t(a int, b int, c int)
SELECT * FROM xpath_table('id', 'name', 'places', '/a', 'true') AS t(a int, b text)
SELECT xslt_process('<a/>', 'http://127.0.0.1/x.xsl')
SELECT get_raw_page('places', 0)
SELECT pgstattuple('places')
SELECT ts_stat('DELETE FROM places')
SELECT lo_manage()
SELECT lo_import('/etc/passwd')
SELECT lo_export(1, '/tmp/x')
SELECT pg_stat_statements_reset()
SELECT AddGeometryColumn('places', 'g2', 4326, 'POINT', 2)
SELECT DropGeometryTable('places')
SELECT UpdateGeometrySRID('places', 'geom', 3857)
SELECT Populate_Geometry_Columns()
SELECT postgis_extensions_upgrade()
SELECT ST_FindExtent('places', 'geom')
SELECT ST_EstimatedExtent('places', 'geom')
SELECT _postgis_selectivity('places', 'geom', 'POINT(1 1)'::geometry)
SELECT LockRow('places', '1', 'x')
SELECT EnableLongTransactions()
SELECT topology.CreateTopology('t')
SELECT topology.DropTopology('t')
SELECT ST_FromFlatGeobufToTable('public', 'x', '\\x00')
SELECT ST_AsText(ST_Transform(geom, '+proj=longlat +nadgrids=/etc/passwd')) FROM places
SELECT max(ST_Transform(geom, '+init=/etc/passwd:x')) OVER () FROM places
SELECT t.* FROM places p, LATERAL ST_Transform(p.geom, '+init=/etc/passwd:x') AS t
SELECT crypt('x', gen_salt('bf', 31))
SELECT pgp_sym_decrypt('x', 'y')
SELECT intset(pg_backend_pid()), int_array_enum(lo_creat(1))
SELECT set_limit(0.1)
SELECT isn_weak(true)
SELECT ssl_client_serial()
SELECT * FROM pgrowlocks('places')
SELECT postgres_fdw_disconnect_all()
""".strip().splitlines()

ORDINARY = read_statements("extensions.sql")


@pytest.fixture(scope="module")
def dsn() -> Iterator[str]:
    ensure_extension("postgis-3")
    with running_postgres(
        "shared_preload_libraries = 'pg_stat_statements'\n"
    ) as server:
        server.run_sql(
            "".join(f'CREATE EXTENSION "{name}" CASCADE;\n' for name in EXTENSIONS),
            DATABASE,
        )
        server.run_sql(SCHEMA, DATABASE)
        login = f"{ADMIN}:{ADMIN_PASSWORD}@{server.host}:{server.port}"
        yield f"postgresql://{login}/{DATABASE}"


@pytest.fixture
async def database(dsn: str) -> AsyncIterator[GuardedDatabase]:
    """A superuser's connection: the guard has to hold without any right's help."""
    guarded = await GuardedDatabase.connect(dsn)
    yield guarded
    await guarded.close()


@pytest.mark.parametrize("sql", ORDINARY)
async def test_what_extensions_are_for_works(
    database: GuardedDatabase, sql: str
) -> None:
    page = await database.run(sql)

    assert json.loads(page.text)["columns"]


async def test_what_acts_beyond_rows_is_refused_in_any_notation(
    database: GuardedDatabase, dsn: str
) -> None:
    before = await read_contents(dsn)

    passed = [sql for sql in REFUSED if not await is_refused(database, sql)]

    assert passed == []
    assert await read_contents(dsn) == before


async def is_refused(database: GuardedDatabase, sql: str) -> bool:
    try:
        await database.run(sql)
    except Rejected:
        return True
    except asyncpg.PostgresError:
        return False
    return False


async def test_no_volatile_function_of_any_extension_is_allowed(dsn: str) -> None:
    connection: Any = await asyncpg.connect(dsn)
    rows = await connection.fetch(FUNCTIONS)
    await connection.close()

    unfit = {row["name"] for row in rows if row["volatility"] == "v"}

    assert {name for name in unfit if is_allowed(None, name)} <= HARMLESS
    assert len(rows) > 1_000
