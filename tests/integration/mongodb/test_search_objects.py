"""Finding collections and fields by their names, against FerretDB."""

import json
from typing import Any

import pytest
from mcp.shared.exceptions import MCPError

from tests.support.hub import hub_in_loop

from .conftest import MakeHub


async def search(
    mongodb_files: MakeHub, pattern: str, **options: Any
) -> list[dict[str, Any]]:
    files = mongodb_files(options=options)
    async with hub_in_loop(files) as hub, hub.client() as client:
        answer = await client.call_tool("mongodb_search_objects", {"pattern": pattern})
    found: list[dict[str, Any]] = (answer.structured_content or {})["objects"]
    return found


async def test_collections_come_before_fields(mongodb_files: MakeHub) -> None:
    found = await search(mongodb_files, "*")

    assert [each["name"] for each in found[:2]] == ["customers", "orders"]
    ids = [each for each in found if each["name"] == "_id"]
    assert [each["container"] for each in ids] == ["customers", "orders"]
    assert ids[1]["kind"] == "field"
    assert ids[1]["detail"] == "objectId"


async def test_a_collection_that_is_not_the_hubs_is_not_found(
    mongodb_files: MakeHub,
) -> None:
    found = await search(mongodb_files, "*", collections=["customers"])

    assert {each["container"] or each["name"] for each in found} == {"customers"}


async def test_only_the_hubs_collections_are_resources(mongodb_files: MakeHub) -> None:
    files = mongodb_files(options={"collections": ["orders"]})
    async with hub_in_loop(files) as hub, hub.client() as client:
        listed = [str(each.uri) for each in await client.list_resources()]
        (content,) = await client.read_resource("mcphub://mongodb/orders")
        with pytest.raises(MCPError, match="not one of this hub's"):
            await client.read_resource_mcp("mcphub://mongodb/customers")

    assert listed == ["mcphub://mongodb/orders"]
    assert "_id" in [each["path"] for each in json.loads(content.text)["fields"]]
