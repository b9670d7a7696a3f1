"""The Qdrant tools, by the real client over a socket."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio
from fastmcp import Client

from support.corpus import CorpusItem, load_corpus
from support.hub import hub_in_loop
from support.qdrant.running import UUID

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


async def fail(client: Client[Any], tool: str, **arguments: Any) -> str:
    answer = await client.call_tool(f"qdrant_{tool}", arguments, raise_on_error=False)
    assert answer.is_error
    return str(answer.content[0].text)


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


FILTERS = [
    pytest.param(
        {"must": [{"key": "city", "match": {"value": "Rome"}}]},
        {2, 7, 12, 17, 22, 27},
        id="match a value",
    ),
    pytest.param(
        {"must": [{"key": "n", "range": {"gt": 27, "lte": 30}}]},
        {28, 29, 30},
        id="range",
    ),
    pytest.param(
        {
            "must": [{"key": "city", "match": {"any": ["Rome", "Paris"]}}],
            "must_not": [{"key": "n", "range": {"gt": 6}}],
        },
        {1, 2, 6},
        id="any of several, and must_not",
    ),
    pytest.param(
        {"should": [{"has_id": [3]}, {"key": "n", "match": {"value": 4}}]},
        {3, 4},
        id="should and has_id",
    ),
    pytest.param(
        {"must": [{"is_empty": {"key": "tags"}}, {"key": "n", "range": {"lt": 5}}]},
        {2, 4},
        id="is_empty",
    ),
    pytest.param(
        {
            "must": [
                {
                    "key": "place",
                    "geo_radius": {"center": {"lat": 45, "lon": 10}, "radius": 1000},
                }
            ]
        },
        {5},
        id="within a circle",
    ),
    pytest.param(
        {"must": [{"must": [{"should": [{"key": "n", "match": {"value": 9}}]}]}]},
        {9},
        id="nested filters",
    ),
]


@pytest.mark.parametrize(("condition", "ids"), FILTERS)
async def test_filters_narrow_the_search(
    client: Client[Any], condition: dict[str, Any], ids: set[int]
) -> None:
    answer = await ask(
        client,
        "search",
        collection="docs",
        query_vector=[1, 0, 0, 0],
        filter=condition,
        limit=50,
    )

    assert {hit["id"] for hit in answer["hits"]} == ids


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


REFUSED = [
    pytest.param({"collection": "secret", "point_id": 1}, "not one of", id="secret"),
    pytest.param({"collection": "a/../secret", "point_id": 1}, "characters", id="path"),
    pytest.param({"collection": "docs"}, "exactly one of", id="nothing to search for"),
    pytest.param(
        {"collection": "docs", "point_id": 1, "query_vector": [1, 0, 0, 0]},
        "exactly one of",
        id="two things to search for",
    ),
    pytest.param(
        {"collection": "docs", "query_text": "cats"},
        "Use point_id",
        id="a text without an embedding endpoint",
    ),
    pytest.param(
        {"collection": "docs", "query_vector": [1, 0]}, "dim", id="a short vector"
    ),
    pytest.param(
        {"collection": "mixed", "query_vector": [1, 0, 0, 0], "using": "nope"},
        "nope",
        id="an unknown vector's name",
    ),
    pytest.param(
        {"collection": "docs", "point_id": 999}, "no such", id="no such point"
    ),
    pytest.param(
        {"collection": "docs", "point_id": 1, "limit": 101}, "1 to 100", id="many hits"
    ),
    pytest.param(
        {"collection": "docs", "point_id": 1, "filter": {"mst": []}},
        "no clause 'mst'",
        id="a misspelt filter",
    ),
]


@pytest.mark.parametrize(("arguments", "part"), REFUSED)
async def test_what_cannot_be_searched_is_told(
    client: Client[Any], arguments: dict[str, Any], part: str
) -> None:
    assert part in await fail(client, "search", **arguments)


@pytest.mark.parametrize(
    "item",
    [
        pytest.param(item, id=f"{item.id}: {item.why}")
        for item in load_corpus("qdrant")
        if item.arguments is not None and "nesting depth" not in item.why
    ],
)
async def test_the_public_corpus_does_what_it_must(
    client: Client[Any], item: CorpusItem
) -> None:
    arguments = {"collection": "docs", **(item.arguments or {})}
    if "vector" in arguments:
        arguments["query_vector"] = arguments.pop("vector")
    elif not {"query", "lookup_from"} & set(arguments):
        arguments["query_vector"] = [1, 0, 0, 0]

    answer = await client.call_tool("qdrant_search", arguments, raise_on_error=False)

    if item.expected == "reject":
        assert answer.is_error
    if item.expected == "allow":
        assert not answer.is_error, answer.content[0].text
