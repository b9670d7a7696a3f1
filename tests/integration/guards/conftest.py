"""A PostgreSQL that holds what an attacker would like to touch, with all rights."""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager

import pytest

from tests.support.analytics_sql import SCHEMA
from tests.support.guarded_sql import Contents, GuardedDatabase, read_contents
from tests.support.postgres import (
    ADMIN,
    ADMIN_PASSWORD,
    PostgresServer,
    running_postgres,
)

DATABASE = "target"

TARGETS = """
CREATE SEQUENCE sq;
CREATE FUNCTION f_write() RETURNS int LANGUAGE sql
  AS 'INSERT INTO employees VALUES (999) RETURNING 1';
CREATE FUNCTION f_write(text) RETURNS int LANGUAGE sql
  AS 'INSERT INTO employees VALUES (998) RETURNING 1';
CREATE PROCEDURE p_commit_write() LANGUAGE plpgsql
  AS 'BEGIN DELETE FROM orders; COMMIT; END';
CREATE VIEW writing_view AS SELECT f_write() AS written;
"""

SHADOWS = """
CREATE FUNCTION lower(varchar) RETURNS text LANGUAGE plpgsql
  AS 'BEGIN PERFORM f_write(); RETURN $1; END';
CREATE FUNCTION add_and_write(int, int) RETURNS int LANGUAGE sql
  AS 'SELECT f_write() + $2';
CREATE OPERATOR <%> (LEFTARG = int, RIGHTARG = int, FUNCTION = add_and_write);
CREATE TYPE mood AS ENUM ('sad', 'happy');
CREATE FUNCTION mood_to_int(mood) RETURNS int LANGUAGE sql AS 'SELECT f_write()';
CREATE CAST (mood AS int) WITH FUNCTION mood_to_int(mood) AS IMPLICIT;
CREATE TABLE moods (m mood, note text);
INSERT INTO moods VALUES ('happy', 'x');
CREATE VIEW seen_moods AS SELECT m AS seen FROM moods;
CREATE DOMAIN temper AS mood;
CREATE DOMAIN outlook AS temper;
CREATE TYPE person AS (name text, m mood);
CREATE TYPE mood_range AS RANGE (SUBTYPE = mood);
CREATE TABLE outlooks (o outlook);
INSERT INTO outlooks VALUES ('sad');
CREATE TABLE mood_lists (l mood[]);
INSERT INTO mood_lists VALUES ('{sad}');
CREATE TABLE people (p person);
INSERT INTO people VALUES (ROW('Ann', 'sad'));
CREATE TABLE mood_ranges (r mood_range);
INSERT INTO mood_ranges VALUES ('[sad,happy]');
CREATE TABLE meetings (who person[]);
INSERT INTO meetings VALUES (ARRAY[ROW('Ann', 'sad')::person]);
CREATE FUNCTION is_even(int) RETURNS bool LANGUAGE sql AS 'SELECT f_write() > 0';
CREATE DOMAIN even AS int CHECK (is_even(VALUE));
CREATE DOMAIN fourth AS even;
CREATE TYPE pair AS (a even, b even);
CREATE DOMAIN odd AS int CHECK (VALUE % 2 = 1);
CREATE TABLE evens (id int, e even);
CREATE SCHEMA aside;
CREATE OPERATOR aside.%> (LEFTARG = int, RIGHTARG = int, FUNCTION = add_and_write);
CREATE TYPE size AS (n int);
CREATE FUNCTION size_to_int(size) RETURNS int LANGUAGE sql STABLE AS 'SELECT $1.n';
CREATE CAST (size AS int) WITH FUNCTION size_to_int(size);
CREATE TABLE sizes (s size);
INSERT INTO sizes VALUES (ROW(3));
CREATE TYPE shade AS ENUM ('light', 'dark');
CREATE FUNCTION shade_eq(shade, shade) RETURNS bool LANGUAGE sql
  AS 'SELECT f_write() IS NULL';
CREATE OPERATOR = (LEFTARG = shade, RIGHTARG = shade, FUNCTION = shade_eq);
CREATE TABLE shades (s shade);
INSERT INTO shades VALUES ('dark');
CREATE TYPE hue AS (n int);
CREATE FUNCTION hue_before(hue, hue) RETURNS bool LANGUAGE sql STABLE
  AS 'SELECT $1.n < $2.n';
CREATE FUNCTION hue_cmp(hue, hue) RETURNS int LANGUAGE sql AS 'SELECT f_write()';
CREATE OPERATOR <# (LEFTARG = hue, RIGHTARG = hue, FUNCTION = hue_before);
CREATE OPERATOR <=# (LEFTARG = hue, RIGHTARG = hue, FUNCTION = hue_before);
CREATE OPERATOR =# (LEFTARG = hue, RIGHTARG = hue, FUNCTION = hue_before);
CREATE OPERATOR >=# (LEFTARG = hue, RIGHTARG = hue, FUNCTION = hue_before);
CREATE OPERATOR ># (LEFTARG = hue, RIGHTARG = hue, FUNCTION = hue_before);
CREATE OPERATOR CLASS hue_order DEFAULT FOR TYPE hue USING btree AS
  OPERATOR 1 <#, OPERATOR 2 <=#, OPERATOR 3 =#, OPERATOR 4 >=#, OPERATOR 5 >#,
  FUNCTION 1 hue_cmp(hue, hue);
CREATE TABLE hues (h hue);
INSERT INTO hues VALUES (ROW(1)), (ROW(2));
CREATE TABLE hue_lists (l hue[]);
INSERT INTO hue_lists SELECT ARRAY[h] FROM hues;
CREATE EXTENSION hstore;
CREATE TABLE movies (id int, title text, http int, pg_rating int, verifier text);
INSERT INTO movies VALUES (1, 'Alien', 200, 5, 'secret');
CREATE FUNCTION full_title(movies) RETURNS text LANGUAGE sql STABLE
  AS 'SELECT $1.verifier';
CREATE FUNCTION title(users) RETURNS text LANGUAGE sql IMMUTABLE AS $$SELECT 'f'$$;
CREATE FUNCTION http(text) RETURNS text LANGUAGE sql VOLATILE
  AS 'SELECT f_write()::text';
"""


@pytest.fixture(scope="package")
def server() -> Iterator[PostgresServer]:
    with running_postgres("max_prepared_transactions = 4\n") as running:
        yield running


def make_database(server: PostgresServer, name: str, sql: str) -> str:
    server.run_sql(f"CREATE DATABASE {name}")
    server.run_sql(sql, name)
    return f"postgresql://{ADMIN}:{ADMIN_PASSWORD}@{server.host}:{server.port}/{name}"


@pytest.fixture(scope="package")
def dsn(server: PostgresServer) -> str:
    """The DSN of a superuser: the guards have to hold without any right's help."""
    return make_database(server, DATABASE, SCHEMA + TARGETS)


@pytest.fixture(scope="package")
def shadowed_dsn(server: PostgresServer) -> str:
    return make_database(server, "shadowed", SCHEMA + TARGETS + SHADOWS)


@pytest.fixture(scope="package")
def contents() -> dict[str, Contents]:
    """What each database held at first."""
    return {}


@asynccontextmanager
async def unchanged(
    dsn: str, contents: dict[str, Contents]
) -> AsyncIterator[GuardedDatabase]:
    if dsn not in contents:
        contents[dsn] = await read_contents(dsn)
    guarded = await GuardedDatabase.connect(dsn)
    try:
        yield guarded
    finally:
        await guarded.close()
    assert await read_contents(dsn) == contents[dsn]


@pytest.fixture
async def database(
    dsn: str, contents: dict[str, Contents]
) -> AsyncIterator[GuardedDatabase]:
    """A database whose contents must be the same when the test is over."""
    async with unchanged(dsn, contents) as guarded:
        yield guarded


@pytest.fixture
async def shadowed_database(
    shadowed_dsn: str, contents: dict[str, Contents]
) -> AsyncIterator[GuardedDatabase]:
    """Likewise, and its users defined functions that bear known names."""
    async with unchanged(shadowed_dsn, contents) as guarded:
        yield guarded
