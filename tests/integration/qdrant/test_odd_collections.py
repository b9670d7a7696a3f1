"""Collections with names that a URL has to quote, searched and described."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from fastmcp import Client
from qdrant_client import models

from tests.support.hub import HubFiles, hub_in_loop
from tests.support.qdrant.running import build_vector, running_qdrant

NAMES = ("R&D notes (2024)", "C#_docs", "100% done; really", "a%2Fb", " blank")


@pytest.fixture
async def client(tmp_path: Path) -> AsyncIterator[Client[Any]]:
    with running_qdrant() as server:
        own = server.connect()
        for number, name in enumerate(NAMES):
            own.create_collection(name, vectors_config=build_vector(2))
            own.upsert(name, [models.PointStruct(id=number, vector=[1.0, 0.0])])
        own.close()
        files = HubFiles(
            tmp_path,
            {"backends": [{"name": "qdrant", "qdrant": {"url": server.url}}]},
            {"qdrant": {"apiKey": server.api_key}},
        )
        async with hub_in_loop(files) as hub, hub.client() as connected:
            yield connected


async def test_c1_what_is_listed_can_be_searched_and_described(
    client: Client[Any],
) -> None:
    listed = await client.call_tool("qdrant_list_collections", {})
    searched = [
        await client.call_tool(
            "qdrant_search", {"collection": name, "query_vector": [1, 0]}
        )
        for name in NAMES
    ]
    described = [
        await client.call_tool("qdrant_collection_info", {"collection": name})
        for name in NAMES
    ]

    assert set(listed.structured_content["collections"]) == set(NAMES)
    ids = [answer.structured_content["hits"][0]["id"] for answer in searched]
    assert ids == list(range(len(NAMES)))
    assert [each.structured_content["name"] for each in described] == list(NAMES)


async def test_c3_ids_may_come_as_text(client: Client[Any]) -> None:
    answer = await client.call_tool(
        "qdrant_search",
        {
            "collection": "C#_docs",
            "query_vector": [1, 0],
            "filter": {"must": [{"has_id": ["1"]}]},
            "point_id": "",
        },
    )

    assert [hit["id"] for hit in answer.structured_content["hits"]] == [1]
