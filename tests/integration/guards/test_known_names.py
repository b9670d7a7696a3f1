"""The SQL guard's generated names against the catalog of the server at hand."""

import tomllib

import asyncpg
import pytest

from mcphub_server.guards.sql import functions, known_names
from tools.derive_known_names import FUNCTIONS, derive, read_script, split_names

SCRIPT = r"""
\echo Use "CREATE EXTENSION shapes" to load this file. \quit
CREATE FUNCTION area_of(text) RETURNS float AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE;
CREATE FUNCTION area_of(int) RETURNS float AS 'MODULE_PATHNAME' LANGUAGE C STABLE;
CREATE FUNCTION add_column(text) RETURNS text AS 'SELECT $1' LANGUAGE sql;
CREATE FUNCTION shape_in(cstring) RETURNS text AS 'MODULE_PATHNAME' LANGUAGE C STABLE;
CREATE AGGREGATE join_shapes(text) (SFUNC = @extschema@.f, STYPE = text);
CREATE OPERATOR &<> (LEFTARG = text, RIGHTARG = text, FUNCTION = f);
"""


@pytest.fixture
async def catalog(dsn):
    connection = await asyncpg.connect(dsn)
    rows = await connection.fetch(FUNCTIONS, [])
    await connection.close()
    return split_names([(row["proname"], row["volatility"]) for row in rows])


async def test_no_allowed_function_is_unfit_on_this_server(catalog):
    _, refused = catalog

    assert functions.BUILT_IN & set(refused) == set()


async def test_this_servers_fit_functions_are_allowed(catalog):
    fit, _ = catalog

    assert set(fit) - functions.BUILT_IN == set()


async def test_the_list_can_be_derived_again(dsn):
    text = await derive([dsn.replace("/target", "/postgres")])

    section = tomllib.loads(text)["postgresql"]
    derived = set(section["functions"].split())
    assert "pg_sleep" in section["refused_functions"].split()
    assert derived <= known_names.CATALOG_FUNCTIONS
    settings = set(section["settings"].split())
    assert settings <= known_names.CATALOG_SETTINGS or is_newer(section["versions"])


def is_newer(versions):
    """Whether the server at hand is a later minor release than the lists know."""
    (own,) = ([*map(int, version.split("."))] for version in versions)
    known = [[*map(int, v.split("."))] for v in known_names.VERSIONS["postgresql"]]
    return own > max(version for version in known if version[0] == own[0])


def test_an_extensions_script_is_read_without_the_extension(tmp_path):
    script = tmp_path / "shapes--1.10.sql"
    script.write_text(SCRIPT)
    found = {}

    read_script(script, found)

    shapes = found["shapes"]
    assert shapes.versions == {"1.10"}
    assert split_names(shapes.functions) == (["area_of", "join_shapes"], ["add_column"])
    assert shapes.operators == {"&<>"}


@pytest.mark.parametrize(
    "name",
    ["st_asencodedpolyline", "st_coverageunion", "st_lineextend", "daitch_mokotoff"],
)
def test_functions_of_the_extensions_newest_releases_are_known(name):
    assert name in functions.EXTENSIONS
