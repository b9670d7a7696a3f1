"""Filters that narrow, and arguments that are refused: tables over one transport."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio
from fastmcp import Client

from tests.support.corpus import CorpusItem, load_corpus
from tests.support.hub import hub_in_loop

from .conftest import MakeHub

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def client(vector_files: MakeHub) -> AsyncIterator[Client[Any]]:
    files = vector_files(options={"collections": ["docs", "mixed"]})
    async with hub_in_loop(files) as hub, hub.client() as connected:
        yield connected


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
    arguments = {"collection": "docs", "query_vector": [1, 0, 0, 0], "limit": 50}

    answer = await client.call_tool("qdrant_search", {**arguments, "filter": condition})

    assert {hit["id"] for hit in answer.structured_content["hits"]} == ids


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
    answer = await client.call_tool("qdrant_search", arguments, raise_on_error=False)

    assert answer.is_error
    assert part in answer.content[0].text


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
