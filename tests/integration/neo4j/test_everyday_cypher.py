"""Statements as people and drivers write them, on a real database."""

from typing import Any

import pytest

from tests.support.hub import hub_in_loop
from tests.support.neo4j.server import Neo4jServer

from .conftest import MakeHub


@pytest.mark.parametrize(
    ("cypher", "rows"),
    [
        pytest.param(
            r"WITH 'C:\\users\\1' AS path RETURN path, path = 'C:\\' + 'users\\1'",
            [["C:\\users\\1", True]],
            id="B1: a path of Windows",
        ),
        pytest.param("CYPHER 5 RETURN 1 AS n", [[1]], id="B2: a version"),
        pytest.param("CYPHER 25 RETURN 1 AS n", [[1]], id="B2: a newer version"),
        pytest.param("CYPHER runtime=slotted RETURN 1 AS n", [[1]], id="B2: a runtime"),
        pytest.param(
            "SHOW INDEXES YIELD name, type WHERE type = 'LOOKUP' RETURN count(*) AS n",
            [[2]],
            id="B3: indexes",
        ),
        pytest.param(
            "SHOW CONSTRAINTS YIELD name RETURN count(name) >= 0 AS n",
            [[True]],
            id="B3: constraints",
        ),
    ],
)
async def test_what_is_written_every_day_works(
    graph_files: MakeHub, cypher: str, rows: list[Any]
) -> None:
    async with hub_in_loop(graph_files()) as hub, hub.client() as client:
        answer = await client.call_tool_mcp("neo4j_query", {"cypher": cypher})

    assert not answer.is_error, answer.content[0].text
    assert answer.structured_content["rows"] == rows


async def test_b3_the_schema_is_shown_whole(graph_files: MakeHub) -> None:
    async with hub_in_loop(graph_files()) as hub, hub.client() as client:
        answer = await client.call_tool_mcp("neo4j_query", {"cypher": "SHOW INDEXES"})

    assert not answer.is_error, answer.content[0].text
    assert "name" in answer.structured_content["columns"]


async def test_b5_an_embedding_is_returned_where_it_is_asked_for(
    graph_files: MakeHub, films: Neo4jServer
) -> None:
    films.run("CREATE (:Embedded {v: [x IN range(1, 200) | x / 2.0]})")
    queries = ["MATCH (e:Embedded) RETURN e", "MATCH (e:Embedded) RETURN e.v"]
    async with hub_in_loop(graph_files()) as hub, hub.client() as client:
        node, numbers = [
            (await client.call_tool("neo4j_query", {"cypher": cypher}))
            for cypher in queries
        ]
        listed = await client.call_tool("neo4j_list_nodes", {"label": "Embedded"})
    films.run("MATCH (e:Embedded) DELETE e")

    properties = node.structured_content["rows"][0][0]["properties"]
    assert properties == {"v": "[200 numbers]"}
    assert len(numbers.structured_content["rows"][0][0]) == 200
    assert listed.structured_content["rows"][0][2] == {"v": "[200 numbers]"}
