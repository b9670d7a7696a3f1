"""Cypher that must not get through: not past the tools, nor past each layer below."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio
from fastmcp import Client
from neo4j.exceptions import ClientError

from mcphub_server.backends.neo4j.backend import Neo4jBackend, Read
from mcphub_server.errors import BadArgument, ToolFailure
from tests.support.corpus import CorpusItem, load_corpus
from tests.support.hub import hub_in_loop
from tests.support.neo4j.server import Neo4jServer

from .conftest import MakeHub

pytestmark = pytest.mark.asyncio(loop_scope="module")

SNAPSHOT = (
    "MATCH (n) RETURN count(n), sum(size(keys(n))), sum(size(labels(n)))",
    "MATCH ()-[r]->() RETURN count(r), sum(size(keys(r)))",
    "SHOW INDEXES YIELD name RETURN collect(name)",
    "SHOW CONSTRAINTS YIELD name RETURN collect(name)",
    "SHOW USERS YIELD user RETURN collect(user)",
    "SHOW DATABASES YIELD name, currentStatus RETURN collect(name + currentStatus)",
)

WRITING = [
    pytest.param("CREATE (n:X)", id="create"),
    pytest.param("MATCH (n) DETACH DELETE n", id="delete"),
    pytest.param("MATCH (p:Person) SET p.born = 0 RETURN p", id="set a property"),
    pytest.param("MATCH (p:Person) SET p:Hacked RETURN p", id="set a label"),
    pytest.param("MATCH (p:Person) REMOVE p.email RETURN p", id="remove"),
    pytest.param(
        "MERGE (p:Person {name: 'Person 1'}) RETURN p", id="merge what exists"
    ),
    pytest.param("INSERT (n:X) RETURN n", id="GQL insert"),
    pytest.param(
        "MATCH (p:Person) FOREACH (x IN [1] | CREATE (:X)) RETURN 1", id="FOREACH"
    ),
    pytest.param(
        "MATCH (p:Person) CALL (p) { CREATE (:X) } RETURN p", id="in a subquery"
    ),
    pytest.param("CREATE INDEX hacked FOR (x:X) ON (x.y)", id="an index"),
    pytest.param("DROP CONSTRAINT person_name", id="a constraint"),
    pytest.param("CREATE USER hacker SET PASSWORD 'password1'", id="a user"),
    pytest.param(
        "ALTER CURRENT USER SET PASSWORD FROM 'a' TO 'password1'", id="a password"
    ),
    pytest.param("CALL db.createLabel('X')", id="a procedure that writes"),
    pytest.param(
        "MATCH (n) CALL (n) { DETACH DELETE n } IN TRANSACTIONS OF 10 ROWS",
        id="in transactions",
    ),
]

READING_TOO_MUCH = [
    pytest.param("LOAD CSV FROM 'file:///etc/passwd' AS line RETURN line", id="a file"),
    pytest.param(
        "LOAD CSV FROM 'http://127.0.0.1:1/x' AS line RETURN line", id="an address"
    ),
    pytest.param("SHOW USERS", id="users"),
    pytest.param("SHOW SETTINGS", id="settings"),
    pytest.param("SHOW TRANSACTIONS", id="other people's statements"),
    pytest.param("CALL dbms.listConfig() YIELD name RETURN name", id="configuration"),
    pytest.param("USE system RETURN 1", id="another database"),
    pytest.param("TERMINATE TRANSACTIONS 'x'", id="ending transactions"),
]


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def client(graph_files: MakeHub) -> AsyncIterator[Client[Any]]:
    async with hub_in_loop(graph_files()) as hub, hub.client() as connected:
        yield connected


def look(server: Neo4jServer) -> list[object]:
    return [[list(each) for each in server.run(cypher)] for cypher in SNAPSHOT]


def read(cypher: str, **parameters: object) -> Read:
    return Read(cypher, parameters, 0, 10, 5, 1 << 22)


@pytest.mark.parametrize("cypher", WRITING + READING_TOO_MUCH)
async def test_the_tool_refuses_and_says_what_to_write(
    client: Client[Any], cypher: str
) -> None:
    answer = await client.call_tool(
        "neo4j_query", {"cypher": cypher}, raise_on_error=False
    )

    assert answer.is_error
    assert "Rejected by rule" in answer.content[0].text


@pytest.mark.asyncio(loop_scope="function")
@pytest.mark.parametrize("cypher", WRITING)
async def test_the_backend_alone_refuses_to_write(
    backend: Neo4jBackend, films: Neo4jServer, cypher: str
) -> None:
    before = look(films)

    with pytest.raises(ToolFailure):
        await backend.read(read(cypher))

    assert look(films) == before


@pytest.mark.parametrize(
    "cypher",
    [
        pytest.param("CREATE (n:X) RETURN n", id="create"),
        pytest.param("MATCH (n) DETACH DELETE n", id="delete"),
        pytest.param("CALL db.createLabel('X')", id="a procedure that writes"),
    ],
)
@pytest.mark.asyncio(loop_scope="function")
async def test_the_session_alone_refuses_to_write(
    backend: Neo4jBackend, cypher: str
) -> None:
    async with backend._transaction(5) as (_, transaction):
        with pytest.raises(ClientError) as refused:
            await (await transaction.run(cypher)).consume()

    assert refused.value.code == "Neo.ClientError.Statement.AccessMode"


@pytest.mark.parametrize(
    "item",
    [
        pytest.param(item, id=f"{item.id}: {item.why}")
        for item in load_corpus("neo4j")
        if item.label is None
    ],
)
async def test_the_public_corpus_does_what_it_must(
    client: Client[Any], films: Neo4jServer, item: CorpusItem
) -> None:
    before = look(films)

    answer = await client.call_tool(
        "neo4j_query",
        {"cypher": item.text, "parameters": item.parameters, "limit": 5},
        raise_on_error=False,
    )

    if item.expected == "reject":
        assert answer.is_error
    if item.expected == "allow":
        assert not answer.is_error, answer.content[0].text
    assert look(films) == before


@pytest.mark.asyncio(loop_scope="function")
async def test_half_a_character_in_a_parameter_is_refused(
    backend: Neo4jBackend,
) -> None:
    with pytest.raises(BadArgument):
        await backend.read(read("RETURN $x AS x", x="\ud800"))
