"""The Qdrant tools, by the real client over a socket."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio
from fastmcp import Client

from tests.support.hub import hub_in_loop
from tests.support.qdrant.running import UUID

from .conftest import MakeHub

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(loop_scope="module", scope="module", params=["http", "sse"])
async def client(
    request: pytest.FixtureRequest, vector_files: MakeHub
) -> AsyncIterator[Client[Any]]:
    files = vector_files(options={"collections": ["docs", "mixed"]})
    async with hub_in_loop(files) as hub, hub.client(request.param) as connected:
        yield connected


async def ask(client: Client[Any], tool: str, **arguments: Any) -> dict[str, Any]:
    answer = await client.call_tool(f"qdrant_{tool}", arguments)
    content: dict[str, Any] = answer.structured_content
    return content


async def test_the_tools_are_listed_as_read_only(client: Client[Any]) -> None:
    tools = {tool.name: tool for tool in await client.list_tools()}

    names = {"qdrant_search", "qdrant_list_collections", "qdrant_collection_info"}
    assert names <= set(tools)
    assert all(tools[name].annotations.read_only_hint for name in names)


async def test_only_the_hubs_own_collections_are_listed(client: Client[Any]) -> None:
    answer = await ask(client, "list_collections")

    assert answer == {"collections": ["docs", "mixed"], "total": 2, "truncated": False}


async def test_a_collection_is_described(client: Client[Any]) -> None:
    answer = await ask(client, "collection_info", collection="docs")

    assert answer == {
        "name": "docs",
        "status": "green",
        "points_count": 30,
        "vectors": [
            {"name": "", "size": 4, "distance": "Cosine", "multivector": False}
        ],
        "sparse_vectors": [],
        "payload_schema": {"city": "keyword", "n": "integer"},
    }


async def test_named_sparse_and_multi_vectors_are_described(
    client: Client[Any],
) -> None:
    answer = await ask(client, "collection_info", collection="mixed")

    assert answer["vectors"] == [
        {"name": "dense", "size": 4, "distance": "Cosine", "multivector": False},
        {"name": "many", "size": 2, "distance": "Dot", "multivector": True},
    ]
    assert answer["sparse_vectors"] == ["words"]


async def test_the_nearest_points_come_first(client: Client[Any]) -> None:
    answer = await ask(
        client, "search", collection="docs", query_vector=[1, 0, 0, 0], limit=3
    )

    assert answer["collection"] == "docs"
    assert [hit["id"] for hit in answer["hits"]] == [1, 2, 3]
    assert answer["hits"][0]["payload"]["city"] == "Paris"
    assert answer["hits"][0]["score"] == pytest.approx(0.995, abs=0.001)
    assert "vectors" not in answer["hits"][0]


async def test_an_empty_filter_is_none(client: Client[Any]) -> None:
    vector = {"collection": "docs", "query_vector": [1, 0, 0, 0], "limit": 3}

    assert await ask(client, "search", **vector, filter={}) == await ask(
        client, "search", **vector
    )


async def test_points_like_a_point_leave_it_out(client: Client[Any]) -> None:
    answer = await ask(client, "search", collection="docs", point_id=7, limit=2)

    assert {hit["id"] for hit in answer["hits"]} == {6, 8}


async def test_a_uuid_names_a_point_too(client: Client[Any]) -> None:
    answer = await ask(
        client, "search", collection="mixed", point_id=UUID, using="dense"
    )

    assert [hit["id"] for hit in answer["hits"]] == [2]


@pytest.mark.parametrize(
    ("using", "query", "score"),
    [
        pytest.param("dense", [1, 0, 0, 0], 1.0, id="a named vector"),
        pytest.param("many", [[1, 0]], 3.0, id="a multivector"),
        pytest.param("many", [[1, 0], [0, 1]], 7.0, id="a multivector of two"),
        pytest.param(
            "words", {"indices": [7], "values": [2.0]}, 0.5, id="a sparse vector"
        ),
    ],
)
async def test_each_kind_of_vector_is_searched(
    client: Client[Any], using: str, query: object, score: float
) -> None:
    answer = await ask(
        client, "search", collection="mixed", using=using, query_vector=query, limit=1
    )

    assert answer["hits"][0]["id"] == UUID
    assert answer["hits"][0]["score"] == pytest.approx(score)


async def test_vectors_of_each_kind_are_returned_on_demand(
    client: Client[Any],
) -> None:
    answer = await ask(
        client,
        "search",
        collection="mixed",
        using="dense",
        query_vector=[1, 0, 0, 0],
        limit=1,
        with_vectors=True,
    )

    assert answer["hits"][0]["vectors"] == {
        "dense": [1.0, 0.0, 0.0, 0.0],
        "many": [[1.0, 2.0], [3.0, 4.0]],
        "words": {"indices": [1, 7], "values": [0.5, 0.25]},
    }


@pytest.mark.parametrize(
    ("with_payload", "expected"),
    [
        pytest.param(True, {"city", "n", "tags", "place", "canary"}, id="all"),
        pytest.param(["city", "n"], {"city", "n"}, id="some fields"),
        pytest.param(False, None, id="none"),
    ],
)
async def test_hits_carry_the_payload_that_was_asked_for(
    client: Client[Any], with_payload: object, expected: set[str] | None
) -> None:
    answer = await ask(
        client,
        "search",
        collection="docs",
        point_id=1,
        limit=1,
        with_payload=with_payload,
    )

    payload = answer["hits"][0].get("payload")
    assert (payload and set(payload)) == expected
