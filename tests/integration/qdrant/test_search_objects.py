"""Finding collections, vectors and fields by their names."""

import json
from typing import Any

import pytest
from mcp.shared.exceptions import MCPError

from tests.support.hub import hub_in_loop

from .conftest import MakeHub


async def search(
    vector_files: MakeHub, collections: list[str], pattern: str
) -> list[dict[str, Any]]:
    files = vector_files(options={"collections": collections})
    async with hub_in_loop(files) as hub, hub.client() as client:
        answer = await client.call_tool("qdrant_search_objects", {"pattern": pattern})
    found: list[dict[str, Any]] = (answer.structured_content or {})["objects"]
    return found


async def test_a_collection_and_its_fields_are_found(vector_files: MakeHub) -> None:
    assert await search(vector_files, ["docs"], "c*") == [
        {"kind": "field", "name": "city", "container": "docs", "detail": "keyword"}
    ]
    assert await search(vector_files, ["docs"], "doc") == [
        {"kind": "collection", "name": "docs", "container": "", "detail": ""}
    ]


async def test_other_collections_than_the_hubs_are_not_found(
    vector_files: MakeHub,
) -> None:
    assert await search(vector_files, ["mixed"], "docs") == []
    assert await search(vector_files, ["mixed"], "city") == []


async def test_only_the_hubs_collections_are_resources(vector_files: MakeHub) -> None:
    files = vector_files(options={"collections": ["docs"]})
    async with hub_in_loop(files) as hub, hub.client() as client:
        listed = [str(each.uri) for each in await client.list_resources()]
        (content,) = await client.read_resource("mcphub://qdrant/docs")
        with pytest.raises(MCPError, match="not one of this hub's"):
            await client.read_resource_mcp("mcphub://qdrant/mixed")

    assert listed == ["mcphub://qdrant/docs"]
    assert json.loads(content.text)["payload_schema"]["city"] == "keyword"
