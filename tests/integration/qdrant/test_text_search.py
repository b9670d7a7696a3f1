"""Searching by text through an embedding endpoint (a double: vectors by hashing)."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from tests.support.embedding import endpoint
from tests.support.embedding.endpoint import EmbeddingEndpoint, embedding_endpoint
from tests.support.hub import HubFiles, hub_in_loop
from tests.support.hub_states import find_state, wait_for_state

from .conftest import MakeHub


@pytest.fixture
async def embedding() -> AsyncIterator[EmbeddingEndpoint]:
    async with embedding_endpoint() as served:
        yield served


@pytest.fixture
def files(vector_files: MakeHub, embedding: EmbeddingEndpoint) -> HubFiles:
    options = {"embedding": {"url": embedding.url, "model": endpoint.MODEL}}
    return vector_files(options=options)


async def search(files: HubFiles, **arguments: Any) -> Any:
    async with hub_in_loop(files) as hub, hub.client() as client:
        return await client.call_tool_mcp(
            "qdrant_search", {"collection": "notes", **arguments}
        )


async def test_a_text_finds_what_is_like_it(
    files: HubFiles, embedding: EmbeddingEndpoint
) -> None:
    answer = await search(files, query_text="a cat and a dog", limit=2)

    hits = answer.structured_content["hits"]
    assert [hit["payload"]["text"] for hit in hits] == [
        "a dog chased the cat",
        "the cat sat on the mat",
    ]
    assert embedding.texts == ["a cat and a dog"]


async def test_the_tool_offers_text_only_with_an_endpoint(
    files: HubFiles, vector_files: MakeHub
) -> None:
    told = []
    for each in (files, vector_files()):
        async with hub_in_loop(each) as hub, hub.client() as client:
            tools = {tool.name: tool for tool in await client.list_tools()}
            told.append(str(tools["qdrant_search"].description))

    assert "query_text" in told[0]
    assert "query_text" not in told[1]


@pytest.mark.parametrize(
    ("text", "part"),
    [
        pytest.param(" ", "1 to 8192 characters", id="empty"),
        pytest.param("x" * 8193, "1 to 8192 characters", id="too long"),
    ],
)
async def test_a_text_that_cannot_be_used_is_refused(
    files: HubFiles, text: str, part: str
) -> None:
    answer = await search(files, query_text=text)

    assert answer.is_error
    assert part in answer.content[0].text


async def test_an_endpoint_that_fails_leaves_the_database_usable(
    files: HubFiles, embedding: EmbeddingEndpoint
) -> None:
    embedding.status = 503

    async with hub_in_loop(files) as hub, hub.client() as client:
        await wait_for_state(hub, "qdrant", "Connected")
        by_text = await client.call_tool_mcp(
            "qdrant_search", {"collection": "notes", "query_text": "cats"}
        )
        by_point = await client.call_tool_mcp(
            "qdrant_search", {"collection": "notes", "point_id": 1}
        )
        shown = await find_state(hub, "qdrant")

    assert "answers with status 503. Use point_id" in by_text.content[0].text
    assert not by_point.is_error
    assert shown["state"] == "Connected"


async def test_a_wrong_key_is_told_without_showing_it(files: HubFiles) -> None:
    files.write()
    files.secrets["qdrant"]["embeddingApiKey"] = "canary-key"  # type: ignore[index]

    answer = await search(files, query_text="cats")

    assert "answers with status 401" in answer.content[0].text
    assert "canary" not in answer.content[0].text
