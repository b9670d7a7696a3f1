"""No value becomes one of a domain whose check may do anything, whatever contains it.

The checks of these domains fail whenever they run: a statement tells what it reaches.
"""

import itertools
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import asyncpg
import pytest
import pytest_asyncio

from mcphub_server.errors import Rejected
from mcphub_server.guards.sql import names, user_defined_names
from mcphub_server.guards.sql.check import check_sql
from mcphub_server.guards.sql.statement import UserDefinedNames
from tests.support.postgres import PostgresServer

from .conftest import make_database

pytestmark = pytest.mark.asyncio(loop_scope="module")

REACHED = "the check has run"

SCHEMA = """
CREATE FUNCTION is_even(int) RETURNS bool LANGUAGE plpgsql AS 'BEGIN RETURN true; END';
CREATE FUNCTION twice(int, int) RETURNS int LANGUAGE plpgsql AS 'BEGIN RETURN 2; END';
CREATE OPERATOR <%> (LEFTARG = int, RIGHTARG = int, FUNCTION = twice);
CREATE DOMAIN even AS int CHECK (is_even(VALUE));
CREATE DOMAIN by_operator AS int CHECK ((VALUE <%> 1) > 0);
CREATE DOMAIN by_cast AS int CHECK (VALUE::even IS NOT NULL);
CREATE TYPE pair AS (a even, b even);
CREATE TYPE named AS (name text, l even[]);
CREATE TYPE span AS RANGE (SUBTYPE = even, MULTIRANGE_TYPE_NAME = spans);
CREATE DOMAIN list_domain AS even[];
CREATE FUNCTION upper(even) RETURNS int LANGUAGE plpgsql STABLE
  AS 'BEGIN RETURN 1; END';
CREATE FUNCTION add_even(even, even) RETURNS int LANGUAGE plpgsql STABLE
  AS 'BEGIN RETURN 1; END';
CREATE OPERATOR <+> (LEFTARG = even, RIGHTARG = even, FUNCTION = add_even);
CREATE TABLE t (
  id int, name text, i int[], e even, l even[], p pair, q pair[], c named, r span,
  m spans, ld list_domain
);
INSERT INTO t VALUES (1, 'x', '{2}', 2, '{2}', ROW(2, 2), ARRAY[ROW(2, 2)::pair],
  ROW('n', '{2}'), '[2,4]', '{[2,4]}', '{2}');
CREATE TABLE evens (id int, e even);
INSERT INTO evens VALUES (1, 2);
CREATE VIEW seen AS SELECT name, l AS list FROM t;
CREATE TABLE plain (name text, tags text[]);
INSERT INTO plain VALUES ('x', '{a}');
"""

FAIL = f"""AS 'BEGIN RAISE EXCEPTION ''{REACHED}''; END';"""
ARM = f"""
CREATE OR REPLACE FUNCTION is_even(int) RETURNS bool LANGUAGE plpgsql {FAIL}
CREATE OR REPLACE FUNCTION twice(int, int) RETURNS int LANGUAGE plpgsql {FAIL}
"""


@dataclass(frozen=True, slots=True)
class CheckedDatabase:
    """A database with such domains, and what the guard knows of it."""

    connection: Any
    defined: UserDefinedNames

    def refuses(self, sql: str) -> bool:
        """Tell whether the guard refuses a statement because of its names."""
        uses = check_sql(sql, 1 if "$1" in sql else 0).uses
        try:
            names.check_names(uses, self.defined)
        except Rejected:
            return True
        return False

    async def reaches(self, sql: str) -> bool:
        """Tell whether a statement runs the check, without the guard."""
        transaction = self.connection.transaction(readonly=True)
        await transaction.start()
        try:
            prepared = await self.connection.prepare(sql)
            await prepared.fetch(*map(sample, prepared.get_parameters()))
        except (asyncpg.PostgresError, asyncpg.InterfaceError) as error:
            return REACHED in str(error)
        finally:
            await transaction.rollback()
        return False


def sample(parameter: Any) -> object:
    """Return a value of a parameter's type."""
    kinds: dict[str, object] = {"array": [2], "composite": (2, 2)}
    if parameter.kind in kinds:
        return kinds[parameter.kind]
    return 2 if parameter.name in {"int4", "even"} else "2"


@pytest.fixture(scope="module")
def checked_dsn(server: PostgresServer) -> str:
    return make_database(server, "checked", SCHEMA + ARM)


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def checked(checked_dsn: str) -> AsyncIterator[CheckedDatabase]:
    connection = await asyncpg.connect(checked_dsn)
    rows = await connection.fetch(user_defined_names.QUERY)
    yield CheckedDatabase(connection, user_defined_names.build_user_defined_names(rows))
    await connection.close()


CONTAINERS = [
    *("l", "p", "q", "c", "r", "m", "ld", "e", "t", "(c).l", "l[1:1]", "unnest(q)"),
    *("array_agg(e)", "ARRAY[e]", "ARRAY(SELECT e FROM t)", "(SELECT l FROM t)"),
]
OTHERS = [
    *("'{2}'", "'(2,2)'", "'[2,4]'", "'{[2,4]}'", "'{\"(2,2)\"}'", "'(n,{2})'", "$1"),
    *("i", "2"),
]
PLACES = [
    "SELECT {v} = {o} FROM t",
    "SELECT {v} || {o} FROM t",
    "SELECT {v} @> {o} FROM t",
    "SELECT {v} && {o} FROM t",
    "SELECT {o} <@ {v} FROM t",
    "SELECT COALESCE({v}, {o}) FROM t",
    "SELECT GREATEST({o}, {v}) FROM t",
    "SELECT NULLIF({v}, {o}) FROM t",
    "SELECT CASE WHEN true THEN {o} ELSE {v} END FROM t",
    "SELECT CASE {v} WHEN {o} THEN 1 END FROM t",
    "SELECT ARRAY[{v}, {o}] FROM t",
    "SELECT {v} IN ({o}, {o}) FROM t",
    "SELECT {v} FROM t UNION ALL SELECT {o} FROM t",
    "SELECT {v} IS DISTINCT FROM {o} FROM t",
    "SELECT {v} BETWEEN {o} AND {o} FROM t",
    "SELECT (1, {v}) = (1, {o}) FROM t",
    "SELECT {o} = ANY (SELECT {v} FROM t) FROM t",
    "SELECT (1, {o}) = (SELECT 1, {v} FROM t)",
    "SELECT lag({v}, 1, {o}) OVER () FROM t",
    "SELECT array_append({v}, {o}) FROM t",
    "SELECT x.v = {o} FROM (SELECT {v} AS v FROM t) x, t",
    "WITH x(v) AS (SELECT {v} FROM t) SELECT v || {o} FROM x, t",
    "VALUES ((SELECT {v} FROM t)), ({o})",
    "SELECT mode() WITHIN GROUP (ORDER BY {v}) || {o} FROM t",
    "SELECT first_value({v}) OVER () = {o} FROM t",
]


@pytest.mark.parametrize("place", PLACES)
async def test_what_reaches_a_check_is_refused(
    checked: CheckedDatabase, place: str
) -> None:
    statements = [
        place.format(v=value, o=other)
        for value, other in itertools.product(CONTAINERS, OTHERS)
    ]

    reaching = [sql for sql in statements if await checked.reaches(sql)]

    assert reaching
    assert [sql for sql in reaching if not checked.refuses(sql)] == []


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT '{[2,4]}'::spans",
        "SELECT 2::by_operator",
        "SELECT 2::by_cast",
        "SELECT upper(2)",
        "SELECT 2 <+> 2",
        "SELECT list || '{2}' FROM seen",
        "SELECT COALESCE(x, '(1,2)') FROM evens x",
        "SELECT * FROM evens UNION ALL SELECT 1, 2 EXCEPT SELECT evens.* FROM evens",
        "SELECT l FROM t UNION ALL (SELECT l FROM t EXCEPT SELECT '{2}')",
        "SELECT * FROM json_populate_record(NULL::t, '{\"l\": [2]}')",
        "SELECT x.l FROM jsonb_to_record('{\"l\": [2]}') AS x(l even[])",
    ],
)
async def test_other_ways_to_a_check_are_refused(
    checked: CheckedDatabase, sql: str
) -> None:
    assert checked.refuses(sql)


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT name, l, p, q, r FROM t WHERE name = 'x'",
        "SELECT * FROM t WHERE name LIKE 'x%' AND id IN (1, 2) ORDER BY name",
        "SELECT l FROM t WHERE l::int[] @> '{2}'::int[]",
        "SELECT COALESCE(l::int[], '{7}'::int[]) FROM t",
        "SELECT COALESCE(l, NULL) FROM t WHERE array_length(l, 1) > 0",
        "SELECT count(*) AS n FROM evens HAVING string_agg(id::text, ',') = 'x'",
        "SELECT l FROM t UNION SELECT l FROM t",
        "SELECT array_agg(id) = '{1}' FROM t",
        "SELECT e FROM evens WHERE e IN ('2', '4') OR e = '6' OR e = $1",
        "SELECT COALESCE(e, 0), GREATEST(e, 2), ARRAY[e, 2] FROM evens",
        "SELECT CASE WHEN id = 1 THEN 'one' ELSE name END FROM t",
        "SELECT CASE WHEN l IS NULL THEN '' ELSE array_to_string(l, ',') END FROM t",
        "SELECT array_to_string(l, ',') = '2', cardinality(l) FROM t",
        "SELECT to_jsonb(t) ->> 'name' FROM t",
        "SELECT name || ': ' || id FROM t",
        "SELECT tags || '{b}', COALESCE(tags, '{}') FROM plain WHERE tags @> '{a}'",
        "SELECT t.name FROM t JOIN plain USING (name) WHERE plain.tags && '{a}'",
        "SELECT lag(e) OVER (), lead(l) OVER (ORDER BY id) FROM t",
    ],
)
async def test_ordinary_statements_pass_and_reach_nothing(
    checked: CheckedDatabase, sql: str
) -> None:
    assert not checked.refuses(sql)
    assert not await checked.reaches(sql)
