"""Declared tools on a real Neo4j."""

import asyncio
from dataclasses import replace
from typing import Any

import httpx

from tests.support.hub import LoopHub, hub_in_loop

from .conftest import MakeHub


def tool(name: str, statement: str, *parameters: dict[str, Any]) -> dict[str, Any]:
    return {
        "name": name,
        "description": "For tests.",
        "backend": "neo4j",
        "statement": statement,
        "parameters": list(parameters),
    }


TOOLS = [
    tool(
        "double",
        "UNWIND range(1, $count) AS n RETURN n, n * 2 AS twice, $day AS day",
        {"name": "count", "type": "integer", "minimum": 1},
        {"name": "day", "type": "date", "default": "2026-01-31"},
    ),
    tool("writes", "CREATE (n) RETURN n"),
    tool("misses", "RETURN $x AS x"),
    tool("wrong", "MATCH (n RETURN n"),
]


async def wait_until_checked(hub: LoopHub) -> dict[str, dict[str, str]]:
    async with httpx.AsyncClient(timeout=60) as http:
        etag = ""
        while True:
            headers = {"If-None-Match": etag, "Prefer": "wait=30"} if etag else {}
            answer = await http.get(f"{hub.management}/status", headers=headers)
            etag = answer.headers["etag"]
            if answer.status_code != httpx.codes.OK:
                continue
            tools = {each["name"]: each for each in answer.json()["tools"]}
            if all(each["state"] != "Unchecked" for each in tools.values()):
                return tools


async def test_cypher_with_typed_parameters(graph_files: MakeHub) -> None:
    files = replace(graph_files(), live={"tools": TOOLS})
    async with hub_in_loop(files) as hub:
        states = await asyncio.wait_for(wait_until_checked(hub), 90)
        async with hub.client() as client:
            names = {each.name for each in await client.list_tools()}
            first = await client.call_tool("double", {"count": 3, "limit": 2})
            page = first.structured_content
            cursor = {"count": 3, "limit": 2, "cursor": page["next_cursor"]}
            second = await client.call_tool("double", cursor)
            refused = await client.call_tool_mcp("double", {"count": "many"})

    assert {name: each["state"] for name, each in states.items()} == {
        "double": "Ready",
        "writes": "Invalid",
        "misses": "Invalid",
        "wrong": "Invalid",
    }
    assert "CREATE" in states["writes"]["message"]
    assert "$x" in states["misses"]["message"]
    assert names >= {"double", "neo4j_query"}
    assert not names & {"writes", "misses", "wrong"}
    assert page["rows"] == [[1, 2, "2026-01-31"], [2, 4, "2026-01-31"]]
    assert second.structured_content["rows"] == [[3, 6, "2026-01-31"]]
    assert refused.is_error
