"""Types of extensions inside of rows, lists and ranges come out as values."""

from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest
import pytest_asyncio
from fastmcp import Client

from tests.support.hub import hub_in_loop
from tests.support.postgres import PostgresServer

from .conftest import MakeHub

pytestmark = pytest.mark.asyncio(loop_scope="module")

DATABASE = "extended"
SCHEMA = """
CREATE EXTENSION hstore;
CREATE EXTENSION citext;
CREATE EXTENSION ltree;
CREATE EXTENSION cube;
CREATE TYPE label AS (
  tags hstore, name citext, path ltree, weight float8, price numeric
);
CREATE TYPE crate AS (first label, labels label[], maps hstore[]);
CREATE TYPE letters AS RANGE (SUBTYPE = citext);
CREATE DOMAIN kept_label AS label;
CREATE TABLE boxes (
  l label, ls label[], c crate, r letters, rs letters[], d kept_label, corner cube[]
);
INSERT INTO boxes
SELECT l, ARRAY[l], ROW(l, ARRAY[l, NULL], ARRAY['a=>1'::hstore])::crate,
  '[a,m)', '{"[a,m)"}', l, '{"(1,2)"}'
FROM (SELECT ROW('a=>1', 'Box', 'top.left', '-0', 1.10)::label AS l) AS given;
CREATE VIEW shelves AS SELECT ARRAY[b] AS held FROM boxes b;
GRANT SELECT ON boxes, shelves TO PUBLIC;
"""

LABEL = {
    "tags": {"a": "1"},
    "name": "Box",
    "path": "top.left",
    "weight": -0.0,
    "price": 1.1,
}
CRATE = {"first": LABEL, "labels": [LABEL, None], "maps": [{"a": "1"}]}
WHOLE = {
    "l": LABEL,
    "ls": [LABEL],
    "c": CRATE,
    "r": "[a,m)",
    "rs": ["[a,m)"],
    "d": LABEL,
    "corner": ["(1, 2)"],
}


@pytest.fixture(scope="module")
def extended(shop: PostgresServer) -> Iterator[str]:
    shop.run_sql(f"CREATE DATABASE {DATABASE}")
    shop.run_sql(SCHEMA, DATABASE)
    yield DATABASE
    shop.run_sql(f"DROP DATABASE {DATABASE} WITH (FORCE)")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def client(
    make_hub: MakeHub, tmp_path_factory: pytest.TempPathFactory, extended: str
) -> AsyncIterator[Client[Any]]:
    files = make_hub(tmp_path_factory.mktemp("types"), backend={"database": extended})
    async with hub_in_loop(files) as hub, hub.client() as connected:
        yield connected


@pytest.mark.parametrize(
    ("sql", "row"),
    [
        pytest.param("SELECT * FROM boxes", [*WHOLE.values()], id="every column"),
        pytest.param("SELECT l FROM boxes", [LABEL], id="a row"),
        pytest.param("SELECT array_agg(l) FROM boxes", [[LABEL]], id="a list of rows"),
        pytest.param("SELECT c FROM boxes", [CRATE], id="rows in a row"),
        pytest.param("SELECT (c).labels FROM boxes", [[LABEL, None]], id="a field"),
        pytest.param("SELECT r, rs FROM boxes", ["[a,m)", ["[a,m)"]], id="ranges"),
        pytest.param("SELECT d FROM boxes", [LABEL], id="a domain over a row"),
        pytest.param("SELECT b FROM boxes b", [WHOLE], id="a table's row"),
        pytest.param("SELECT held FROM shelves", [[WHOLE]], id="rows behind a view"),
        pytest.param(
            "SELECT ROW(l, 1) FROM boxes",
            [{"f1": LABEL, "f2": 1}],
            id="a row made here",
        ),
        pytest.param("SELECT corner FROM boxes", [["(1, 2)"]], id="a list"),
    ],
)
async def test_a_value_comes_out_as_a_value(
    client: Client[Any], sql: str, row: list[Any]
) -> None:
    answer = await client.call_tool("postgres_query", {"sql": sql})

    assert repr(answer.structured_content["rows"]) == repr([row])
