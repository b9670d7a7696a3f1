"""Ordinary Cypher passes everything on its way: guard, EXPLAIN, database, JSON."""

from collections.abc import AsyncIterator, Iterator
from typing import Any

import neo4j
import pytest
import pytest_asyncio
from fastmcp import Client

from tests.support.hub import hub_in_loop
from tests.support.neo4j.server import Neo4jServer
from tests.support.ordinary import read_statements

from .conftest import MakeHub

pytestmark = pytest.mark.asyncio(loop_scope="module")

NEEDS_MORE = ("apoc.", "LET ", "FILTER ", "CYPHER 25")
"""Plugins and versions that the server of these tests may lack; the guard sees them."""

PARAMETERS = {
    "name": "Actor 1",
    "names": ["Actor 1", "Actor 2"],
    "year": 1995,
    "limit": 2,
    "skip": 1,
    "rows": [{"title": "Movie 1", "note": None}],
    "filter": {"since": 1995},
    "text": "a text",
}

REMOVE = (
    "MATCH (n:Ordinary) DETACH DELETE n",
    "DROP INDEX movie_title IF EXISTS",
    "DROP INDEX taglines IF EXISTS",
    "DROP INDEX movie_plots IF EXISTS",
)


@pytest.fixture(scope="module")
def examples(films: Neo4jServer) -> Iterator[None]:
    """Graphs of films, orders, trains and accounts beside the trial data."""
    auth = (films.username, films.password)
    with neo4j.GraphDatabase.driver(films.uri, auth=auth) as driver:
        for statement in read_statements("neo4j-seed.cypher"):
            driver.execute_query(statement)
        driver.execute_query("CALL db.awaitIndexes(60)")
        yield
        for statement in REMOVE:
            driver.execute_query(statement)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def client(examples: None, graph_files: MakeHub) -> AsyncIterator[Client[Any]]:  # noqa: ARG001
    async with hub_in_loop(graph_files()) as hub, hub.client() as client:
        yield client


@pytest.mark.parametrize(
    "cypher",
    [
        statement
        for statement in read_statements("neo4j.cypher")
        if not any(word in statement for word in NEEDS_MORE)
    ],
)
async def test_ordinary_cypher_runs(client: Client[Any], cypher: str) -> None:
    given = {name: value for name, value in PARAMETERS.items() if f"${name}" in cypher}
    answer = await client.call_tool_mcp(
        "neo4j_query", {"cypher": cypher, "parameters": given}
    )

    assert not answer.is_error, answer.content[0].text
