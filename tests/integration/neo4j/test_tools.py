"""The Neo4j tools, by the real client over a socket, on a real Neo4j."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio
from fastmcp import Client

from tests.support.hub import hub_in_loop

from .conftest import MakeHub

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(loop_scope="module", scope="module", params=["http", "sse"])
async def client(
    request: pytest.FixtureRequest, graph_files: MakeHub
) -> AsyncIterator[Client[Any]]:
    async with (
        hub_in_loop(graph_files()) as hub,
        hub.client(request.param) as connected,
    ):
        yield connected


async def ask(client: Client[Any], tool: str, **arguments: Any) -> dict[str, Any]:
    answer = await client.call_tool(tool, arguments)
    content: dict[str, Any] = answer.structured_content
    return content


async def fail(client: Client[Any], tool: str, **arguments: Any) -> str:
    answer = await client.call_tool(tool, arguments, raise_on_error=False)
    assert answer.is_error
    return str(answer.content[0].text)


async def test_the_tools_are_listed_as_read_only(client: Client[Any]) -> None:
    tools = {tool.name: tool for tool in await client.list_tools()}

    names = {"neo4j_query", "neo4j_list_nodes", "neo4j_get_relationships"}
    assert names <= set(tools)
    assert all(tools[name].annotations.read_only_hint for name in names)


async def test_a_query_gives_columns_and_rows(client: Client[Any]) -> None:
    answer = await ask(
        client,
        "neo4j_query",
        cypher="MATCH (p:Person {name: $name}) RETURN p.name AS name, p.born AS born",
        parameters={"name": "Person 7"},
    )

    assert answer == {
        "columns": ["name", "born"],
        "rows": [["Person 7", 1907]],
        "row_count": 1,
        "truncated": False,
        "next_cursor": None,
    }


async def test_pages_of_a_query_follow_one_another_to_the_end(
    client: Client[Any],
) -> None:
    cypher = "MATCH (p:Person) RETURN p.born AS born ORDER BY born"
    born: list[int] = []
    cursor = None

    while True:
        page = await ask(client, "neo4j_query", cypher=cypher, limit=50, cursor=cursor)
        born += [row[0] for row in page["rows"]]
        cursor = page["next_cursor"]
        if cursor is None:
            break

    assert born == list(range(1901, 2021))


async def test_a_cursor_of_other_parameters_is_refused(client: Client[Any]) -> None:
    cypher = "MATCH (p:Person) WHERE p.born > $year RETURN p.born"
    page = await ask(
        client, "neo4j_query", cypher=cypher, parameters={"year": 1}, limit=5
    )

    told = await fail(
        client,
        "neo4j_query",
        cypher=cypher,
        parameters={"year": 2},
        cursor=page["next_cursor"],
    )

    assert "does not belong to this call" in told


async def test_a_query_never_returns_more_rows_than_the_hub_allows(
    client: Client[Any],
) -> None:
    answer = await ask(
        client,
        "neo4j_query",
        cypher="UNWIND range(1, 1000000000) AS n RETURN n",
        limit=5000,
    )

    assert answer["row_count"] == 100
    assert answer["truncated"] is True


async def test_pages_of_nodes_hold_each_node_once(client: Client[Any]) -> None:
    names: list[str] = []
    cursor = None

    while True:
        page = await ask(
            client, "neo4j_list_nodes", label="Person", limit=50, cursor=cursor
        )
        names += [row[2]["name"] for row in page["rows"]]
        cursor = page["next_cursor"]
        if cursor is None:
            break

    assert page["columns"] == ["element_id", "labels", "properties"]
    assert sorted(names) == sorted(f"Person {n}" for n in range(1, 121))


async def test_an_unknown_label_is_answered_with_those_there_are(
    client: Client[Any],
) -> None:
    told = await fail(client, "neo4j_list_nodes", label="People")

    assert "There are: Director, Film, Person, Topic." in told


@pytest.mark.parametrize(
    "label",
    [
        pytest.param("Person`) DETACH DELETE n //", id="that ends the quotes"),
        pytest.param("Person\\u0060) DETACH DELETE n //", id="with an escaped quote"),
    ],
)
async def test_a_label_cannot_become_a_statement(
    client: Client[Any], label: str
) -> None:
    assert "read-only/label" in await fail(client, "neo4j_list_nodes", label=label)


@pytest.mark.parametrize(
    ("direction", "expected"),
    [
        pytest.param(
            "both", {("KNOWS", 49), ("KNOWS", 50), ("ACTED_IN", 50)}, id="both"
        ),
        pytest.param("outgoing", {("KNOWS", 50), ("ACTED_IN", 50)}, id="outgoing"),
        pytest.param("incoming", {("KNOWS", 49)}, id="incoming"),
    ],
)
async def test_relationships_are_seen_from_the_node(
    client: Client[Any], direction: str, expected: set[tuple[str, int]]
) -> None:
    node = await ask(
        client,
        "neo4j_query",
        cypher="MATCH (p:Person {name: 'Person 50'}) RETURN elementId(p)",
    )

    answer = await ask(
        client,
        "neo4j_get_relationships",
        node_id=node["rows"][0][0],
        direction=direction,
    )

    assert answer["columns"] == ["element_id", "type", "start", "end", "properties"]
    found = {
        (row[1], int(row[2]["properties"]["name"].split()[1])) for row in answer["rows"]
    }
    assert found == expected


async def test_a_node_that_does_not_exist_is_told_from_one_without_relationships(
    client: Client[Any],
) -> None:
    told = await fail(client, "neo4j_get_relationships", node_id="4:nothing:0")

    assert "no node with this element_id" in told


async def test_a_missing_parameter_is_named(client: Client[Any]) -> None:
    told = await fail(client, "neo4j_query", cypher="RETURN $first + $second AS sum")

    assert "first, second" in told


async def test_a_parameter_that_neo4j_cannot_take_is_refused(
    client: Client[Any],
) -> None:
    told = await fail(
        client, "neo4j_query", cypher="RETURN $x AS x", parameters={"x": 2**70}
    )

    assert "at most 64 bits" in told


async def test_such_a_parameter_is_refused_though_the_statement_is_known(
    client: Client[Any],
) -> None:
    cypher = "RETURN $x AS known"
    answer = await ask(client, "neo4j_query", cypher=cypher, parameters={"x": 1})
    told = await fail(client, "neo4j_query", cypher=cypher, parameters={"x": 2**70})

    assert answer["rows"] == [[1]]
    assert "at most 64 bits" in told


async def test_explain_gives_the_plan_and_runs_nothing(client: Client[Any]) -> None:
    answer = await ask(
        client, "neo4j_query", cypher="EXPLAIN MATCH (p:Person) RETURN count(p) AS n"
    )

    assert answer["columns"] == ["operator", "details", "estimated_rows"]
    assert answer["rows"][0][0] == "ProduceResults"


async def test_a_syntax_error_says_where(client: Client[Any]) -> None:
    told = await fail(client, "neo4j_query", cypher="MATCH (n RETURN n")

    assert "line 1, column" in told


async def test_a_runtime_error_does_not_quote_what_is_stored(
    client: Client[Any],
) -> None:
    told = await fail(
        client, "neo4j_query", cypher="MATCH (p:Person) RETURN date(p.email)"
    )

    assert "canary" not in told
    assert "cannot be read" in told


async def test_one_huge_record_is_refused_and_does_not_fill_the_memory(
    client: Client[Any],
) -> None:
    told = await fail(
        client, "neo4j_query", cypher="RETURN range(1, 2000000) AS numbers"
    )

    assert "One row of the result exceeds" in told


async def test_large_rows_are_cut_to_a_page_with_a_cursor(client: Client[Any]) -> None:
    answer = await ask(
        client,
        "neo4j_query",
        cypher="UNWIND range(1, 1000) AS n RETURN n, range(1, 20000) AS numbers",
    )

    assert answer["truncated"] is True
    assert answer["next_cursor"]
    assert 1 <= answer["row_count"] < 100
