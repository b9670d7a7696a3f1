"""Cypher that analysts write every day passes guard, EXPLAIN and READ alike."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio
from fastmcp import Client

from tests.support.hub import hub_in_loop

from .conftest import MakeHub

pytestmark = pytest.mark.asyncio(loop_scope="module")

ORDINARY = [
    pytest.param("RETURN 1 AS one", [[1]], id="a constant"),
    pytest.param("MATCH (p:Person) RETURN count(*)", [[120]], id="a count"),
    pytest.param(
        "MATCH (p:Person) WHERE p.born >= 2019 RETURN p.name ORDER BY p.born DESC",
        [["Person 120"], ["Person 119"]],
        id="a filter and an order",
    ),
    pytest.param(
        "MATCH (p:Person) RETURN p.born % 2 AS odd, count(*) AS n ORDER BY odd",
        [[0, 60], [1, 60]],
        id="a grouping",
    ),
    pytest.param(
        "MATCH (p:Person) WITH p ORDER BY p.born LIMIT 3 RETURN collect(p.born)",
        [[[1901, 1902, 1903]]],
        id="WITH and collect",
    ),
    pytest.param(
        "MATCH (p:Person {name: 'Person 1'}) "
        "OPTIONAL MATCH (p)<-[:ACTED_IN]-(x) RETURN p.name, x",
        [["Person 1", None]],
        id="OPTIONAL MATCH",
    ),
    pytest.param(
        "UNWIND [3, 1, 2] AS x WITH x ORDER BY x RETURN collect(x)",
        [[[1, 2, 3]]],
        id="UNWIND",
    ),
    pytest.param(
        "MATCH (a:Person {name: 'Person 1'})-[:KNOWS*1..3]->(b) RETURN count(b)",
        [[3]],
        id="a path of variable length",
    ),
    pytest.param(
        "MATCH (a:Person {name: 'Person 1'})-[:KNOWS]->{2,2}(b) RETURN b.name",
        [["Person 3"]],
        id="a quantified path",
    ),
    pytest.param(
        "MATCH p = shortestPath((a:Person {name: 'Person 1'})-[:KNOWS*]->"
        "(b:Person {name: 'Person 5'})) RETURN length(p)",
        [[4]],
        id="shortestPath",
    ),
    pytest.param(
        "MATCH p = SHORTEST 1 (a:Person {name: 'Person 1'})-[:KNOWS]->+"
        "(b:Person {name: 'Person 4'}) RETURN length(p)",
        [[3]],
        id="SHORTEST",
    ),
    pytest.param(
        "MATCH (p:Person) WHERE EXISTS { (p)-[:ACTED_IN]->(:Film {title: 'Film 1'}) } "
        "RETURN count(p)",
        [[4]],
        id="EXISTS with a pattern",
    ),
    pytest.param(
        "MATCH (p:Person {name: 'Person 2'}) "
        "RETURN COUNT { (p)-[:KNOWS]-() } AS n, COLLECT { MATCH (p)-[:KNOWS]->(o) "
        "RETURN o.name } AS names",
        [[2, ["Person 3"]]],
        id="COUNT and COLLECT subqueries",
    ),
    pytest.param(
        "MATCH (p:Person) WHERE p.born < 1903 CALL (p) { MATCH (p)-[:KNOWS]->(o) "
        "RETURN count(o) AS n } RETURN sum(n)",
        [[2]],
        id="a CALL subquery",
    ),
    pytest.param("RETURN 1 AS x UNION ALL RETURN 2 AS x", [[1], [2]], id="UNION ALL"),
    pytest.param(
        "RETURN CASE WHEN 1 < 2 THEN 'yes' ELSE 'no' END", [["yes"]], id="CASE"
    ),
    pytest.param(
        "RETURN [x IN range(1, 5) WHERE x % 2 = 1 | x * x] AS squares",
        [[[1, 9, 25]]],
        id="a list comprehension",
    ),
    pytest.param(
        "MATCH (p:Person {name: 'Person 3'}) RETURN p {.name, .born, x: 1} AS map",
        [[{"name": "Person 3", "born": 1903, "x": 1}]],
        id="a map projection",
    ),
    pytest.param(
        "RETURN reduce(s = 0, x IN [1, 2, 3] | s + x) AS sum", [[6]], id="reduce"
    ),
    pytest.param(
        "RETURN all(x IN [1, 2] WHERE x > 0) AND none(x IN [1] WHERE x > 1)",
        [[True]],
        id="list predicates",
    ),
    pytest.param(
        "MATCH (f:Film) RETURN min(f.released), max(f.length)",
        [["1990-01-01", "PT1H50M"]],
        id="temporal aggregates",
    ),
    pytest.param(
        "RETURN duration.between(date('2024-01-01'), date('2024-03-05')) AS d",
        [["P2M4D"]],
        id="a duration between dates",
    ),
    pytest.param(
        "RETURN percentileCont(1.0 * 5, 0.5), toUpper('a') + left('bcd', 1)",
        [[5.0, "Ab"]],
        id="functions",
    ),
    pytest.param(
        "MATCH (n) WHERE n.name = 'CREATE (x) DELETE' RETURN count(n)",
        [[0]],
        id="forbidden words in a string",
    ),
    pytest.param(
        "MATCH (n) RETURN count(n) AS `merge` // DELETE",
        [[150]],
        id="forbidden words in a name and a comment",
    ),
    pytest.param(
        "CALL db.labels() YIELD label RETURN label ORDER BY label",
        [["Director"], ["Film"], ["Person"], ["Topic"]],
        id="the labels",
    ),
    pytest.param(
        "CALL db.relationshipTypes() YIELD relationshipType AS t RETURN t ORDER BY t",
        [["ACTED_IN"], ["KNOWS"]],
        id="the relationship types",
    ),
    pytest.param(
        "CALL dbms.components() YIELD name, edition RETURN name, edition",
        [["Neo4j Kernel", "community"]],
        id="the version",
    ),
    pytest.param(
        "CALL dbms.components() YIELD versions UNWIND versions AS v "
        "MATCH (p:Person) RETURN size(v) > 0, count(p)",
        [[True, 120]],
        id="the version beside a count",
    ),
    pytest.param(
        "CALL db.index.fulltext.queryNodes('titles', 'title:7') YIELD node "
        "RETURN node.title",
        [["Film 7"]],
        id="a full-text search",
    ),
    pytest.param(
        "CALL db.index.vector.queryNodes('plots', 1, [1.0, 1.0, 0.5]) YIELD node "
        "RETURN node.title",
        [["Film 1"]],
        id="a vector search",
    ),
    pytest.param(
        "MATCH (p:Person&Director) RETURN p.name",
        [["Person 1"]],
        id="label expressions",
    ),
]


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def client(graph_files: MakeHub) -> AsyncIterator[Client[Any]]:
    async with hub_in_loop(graph_files()) as hub, hub.client() as connected:
        yield connected


async def test_the_plan_of_a_procedure_of_the_server(client: Client[Any]) -> None:
    answer = await client.call_tool(
        "neo4j_query", {"cypher": "EXPLAIN CALL dbms.components()"}
    )

    assert answer.structured_content["row_count"] > 0


@pytest.mark.parametrize(("cypher", "rows"), ORDINARY)
async def test_ordinary_cypher_works(
    client: Client[Any], cypher: str, rows: list[list[Any]]
) -> None:
    answer = await client.call_tool("neo4j_query", {"cypher": cypher})

    assert answer.structured_content["rows"] == rows


VALUES = [
    pytest.param("9223372036854775807", 9223372036854775807, id="the largest integer"),
    pytest.param("0.0 / 0.0", "NaN", id="not a number"),
    pytest.param("-1 / 0.0", "-Infinity", id="infinity"),
    pytest.param("date('2024-02-29')", "2024-02-29", id="a date"),
    pytest.param("date('-0044-03-15')", "-0044-03-15", id="a date BC"),
    pytest.param("date('+12024-02-29')", "+12024-02-29", id="a date after 9999"),
    pytest.param(
        "[date('-0044-03-15'), {when: date('+12024-02-29')}]",
        ["-0044-03-15", {"when": "+12024-02-29"}],
        id="such dates within lists and maps",
    ),
    pytest.param("localtime('12:34:56.789')", "12:34:56.789000000", id="a local time"),
    pytest.param(
        "time('12:34:56.000000001+02:30')", "12:34:56.000000001+02:30", id="a time"
    ),
    pytest.param(
        "localdatetime('2024-01-01T00:00:00')",
        "2024-01-01T00:00:00.000000000",
        id="a local datetime",
    ),
    pytest.param(
        "datetime('2024-07-01T12:00:00[Europe/Paris]')",
        "2024-07-01T12:00:00.000000000+02:00[Europe/Paris]",
        id="a datetime in a named zone",
    ),
    pytest.param(
        "datetime('+12024-01-01T00:00:00+01:00')",
        "+12024-01-01T00:00:00.000000000+01:00",
        id="a datetime after 9999",
    ),
    pytest.param("duration('P1Y2M3DT4H5M6.7S')", "P1Y2M3DT4H5M6.7S", id="a duration"),
    pytest.param(
        "point({x: 1, y: 2, z: 3})",
        {"srid": 9157, "x": 1.0, "y": 2.0, "z": 3.0},
        id="a point in space",
    ),
    pytest.param(
        "point({longitude: 11.5, latitude: 48.1})",
        {"srid": 4326, "longitude": 11.5, "latitude": 48.1},
        id="a point on the globe",
    ),
    pytest.param("null", None, id="null"),
    pytest.param("'ü€😀'", "ü€😀", id="text"),
    pytest.param("{a: [1, {b: true}]}", {"a": [1, {"b": True}]}, id="a nested map"),
]


@pytest.mark.parametrize(("expression", "expected"), VALUES)
async def test_values_are_exact_json(
    client: Client[Any], expression: str, expected: object
) -> None:
    answer = await client.call_tool(
        "neo4j_query", {"cypher": f"RETURN {expression} AS x"}
    )

    assert answer.structured_content["rows"] == [[expected]]


async def test_nodes_relationships_and_paths_are_objects(client: Client[Any]) -> None:
    cypher = (
        "MATCH p = (a:Director)-[k:KNOWS]->(b) RETURN a, k, p, "
        "elementId(a), elementId(b), elementId(k)"
    )

    answer = await client.call_tool("neo4j_query", {"cypher": cypher})

    node, relationship, path, first, second, between = answer.structured_content[
        "rows"
    ][0]
    assert node["element_id"] == first
    assert node["labels"] == ["Director", "Person"]
    assert node["properties"]["born"] == 1901
    assert relationship == {
        "element_id": between,
        "type": "KNOWS",
        "start": first,
        "end": second,
        "properties": {},
    }
    assert [each["element_id"] for each in path["nodes"]] == [first, second]
    assert path["relationships"] == [relationship]
    assert path["length"] == 1
