"""Finding labels, types and properties by their names, on a real Neo4j."""

import json
from typing import Any

import pytest
from mcp.shared.exceptions import MCPError
from mcp_types import ResourceTemplateReference

from tests.support.hub import hub_in_loop

from .conftest import MakeHub


async def search(graph_files: MakeHub, **arguments: Any) -> dict[str, Any]:
    async with hub_in_loop(graph_files()) as hub, hub.client() as client:
        answer = await client.call_tool("neo4j_search_objects", arguments)
    content: dict[str, Any] = answer.structured_content or {}
    return content


async def test_each_kind_of_name_is_found(graph_files: MakeHub) -> None:
    everything = await search(graph_files, pattern="*", limit=1000)

    kinds = [each["kind"] for each in everything["objects"]]
    assert set(kinds) == {"label", "relationship type", "property"}
    assert everything["truncated"] is False


async def test_a_part_of_a_name_finds_only_what_has_it(graph_files: MakeHub) -> None:
    found = await search(graph_files, pattern="fil")

    names = [each["name"] for each in found["objects"]]
    assert "Film" in names
    assert all("fil" in name.lower() for name in names)


async def test_a_label_is_a_resource_that_tells_types_and_no_values(
    graph_files: MakeHub,
) -> None:
    async with hub_in_loop(graph_files()) as hub, hub.client() as client:
        listed = [str(each.uri) for each in await client.list_resources()]
        (content,) = await client.read_resource("mcphub://neo4j/Person")

    described = json.loads(content.text)
    properties = {each["name"]: each["types"] for each in described["properties"]}
    related = {(each["type"], each["direction"]) for each in described["relationships"]}
    assert {"mcphub://neo4j/Person", "mcphub://neo4j/Film"} <= set(listed)
    assert properties["name"] == ["STRING"]
    assert properties["born"] == ["INTEGER"]
    assert ("KNOWS", "outgoing") in related
    assert "Person 1" not in content.text


async def test_an_unknown_or_hostile_label_is_refused(graph_files: MakeHub) -> None:
    async with hub_in_loop(graph_files()) as hub, hub.client() as client:
        for uri in ("mcphub://neo4j/Nothing", "mcphub://neo4j/a%60%20DETACH"):
            with pytest.raises(MCPError) as refused:
                await client.read_resource_mcp(uri)
            assert refused.value.error.code == -32602


async def test_labels_are_completed(graph_files: MakeHub) -> None:
    async with hub_in_loop(graph_files()) as hub, hub.client() as client:
        answer = await client.session.complete(
            ResourceTemplateReference(uri="mcphub://neo4j/{label}"),
            {"name": "label", "value": "Pe"},
        )

    assert answer.completion.values == ["Person"]
