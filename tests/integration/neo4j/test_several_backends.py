"""Several backends of one kind in a hub: each has its own tools and state."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.hub import HubFiles, hub_in_loop
from tests.support.hub_states import find_state, wait_for_state
from tests.support.neo4j.server import Neo4jServer
from tests.support.qdrant.running import fill, running_qdrant
from tests.support.qdrant.server import QdrantServer
from tools.ports import reserve_port


@pytest.fixture(scope="module")
def vectors() -> Iterator[QdrantServer]:
    with running_qdrant() as server:
        fill(server)
        yield server


@pytest.fixture
def files(films: Neo4jServer, vectors: QdrantServer, tmp_path: Path) -> HubFiles:
    login = {"username": films.username, "password": films.password}
    key = {"apiKey": vectors.api_key}
    nowhere = reserve_port()
    return HubFiles(
        tmp_path,
        {
            "backends": [
                {"name": "films", "neo4j": {"uri": films.uri}},
                {
                    "name": "gone",
                    "neo4j": {"uri": f"bolt://127.0.0.1:{nowhere}"},
                },
                {
                    "name": "papers",
                    "qdrant": {"url": vectors.url, "collections": ["docs"]},
                },
                {
                    "name": "memory",
                    "qdrant": {"url": vectors.url, "collections": ["notes"]},
                },
                {"name": "off", "enabled": False, "neo4j": {"uri": films.uri}},
            ]
        },
        {"films": login, "gone": login, "papers": key, "memory": key},
    )


async def test_each_enabled_backend_has_its_tools(files: HubFiles) -> None:
    async with hub_in_loop(files) as hub, hub.client() as client:
        names = {tool.name for tool in await client.list_tools()}

    graph = {"query", "list_nodes", "get_relationships", "search_objects"}
    search = {"search", "list_collections", "collection_info", "search_objects"}
    assert names == {
        "health_check",
        "list_services",
        *(f"{backend}_{tool}" for backend in ("films", "gone") for tool in graph),
        *(f"{backend}_{tool}" for backend in ("papers", "memory") for tool in search),
    }


async def test_one_backend_down_leaves_the_others_alone(files: HubFiles) -> None:
    async with hub_in_loop(files) as hub, hub.client() as client:
        down = await wait_for_state(hub, "gone", "Unreachable")
        up = await wait_for_state(hub, "films", "Connected")
        answer = await client.call_tool("films_query", {"cypher": "RETURN 1 AS one"})
        health = await client.call_tool("health_check", {})

    assert (down["type"], down["reason"]) == ("neo4j", "ConnectionRefused")
    assert up["reason"] in {None, ""}
    assert answer.structured_content["rows"] == [[1]]
    assert health.structured_content["status"] == "degraded"


async def test_each_backend_sees_its_own_collections(files: HubFiles) -> None:
    async with hub_in_loop(files) as hub, hub.client() as client:
        papers = await client.call_tool("papers_list_collections", {})
        memory = await client.call_tool("memory_list_collections", {})
        foreign = await client.call_tool(
            "papers_search",
            {"collection": "notes", "point_id": 1},
            raise_on_error=False,
        )
        state = await find_state(hub, "memory")

    assert papers.structured_content["collections"] == ["docs"]
    assert memory.structured_content["collections"] == ["notes"]
    assert foreign.is_error
    assert state["type"] == "qdrant"


async def test_a_cursor_of_one_backend_is_refused_by_another(
    files: HubFiles, films: Neo4jServer
) -> None:
    config = {
        **files.config,
        "backends": [
            {"name": "first", "neo4j": {"uri": films.uri}},
            {"name": "second", "neo4j": {"uri": films.uri}},
        ],
    }
    login = {"username": films.username, "password": films.password}
    twins = HubFiles(files.folder, config, {"first": login, "second": login})
    call = {"cypher": "MATCH (p:Person) RETURN p.born", "limit": 5}

    async with hub_in_loop(twins) as hub, hub.client() as client:
        page = await client.call_tool("first_query", call)
        cursor = page.structured_content["next_cursor"]
        own = await client.call_tool("first_query", {**call, "cursor": cursor})
        foreign = await client.call_tool(
            "second_query", {**call, "cursor": cursor}, raise_on_error=False
        )

    assert own.structured_content["row_count"] == 5
    assert "does not belong to this call" in foreign.content[0].text
