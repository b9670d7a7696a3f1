"""Finding labels, types and properties by their names, on a real Neo4j."""

from typing import Any

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
