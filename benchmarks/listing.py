"""Compares the sizes of `tools/list` for the same declared tools: hub and MCP Toolbox.

`python -m benchmarks.listing`. What a list costs is mostly tokens of the model that
reads it.
"""

import json
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from benchmarks.client import CLASSIC, BareClient
from benchmarks.databases import describe_postgres, open_postgres
from benchmarks.figures import Figure, render_table
from benchmarks.governed import build_tools
from benchmarks.hub import TOKEN, running_hub, write_hub, write_live
from benchmarks.peers import running_toolbox
from tests.support.postgres import PostgresServer

TOOLS = 10
DESCRIPTIONS = {"customer": "The customer's id.", "since": "The first day."}


def build_hub_tools() -> list[dict[str, Any]]:
    """Return the tools as a hub declares them."""
    return [
        tool | {"parameters": [describe(each) for each in tool["parameters"]]}
        for tool in build_tools()[:TOOLS]
    ]


def describe(parameter: dict[str, Any]) -> dict[str, Any]:
    """Return a parameter with a description, which MCP Toolbox demands."""
    return parameter | {"description": DESCRIPTIONS[parameter["name"]]}


def build_peer_tools() -> list[dict[str, Any]]:
    """Return the same tools as MCP Toolbox declares them; it has no type for days."""
    types = {"integer": "integer", "date": "string"}
    return [
        {
            "kind": "tool",
            "name": tool["name"],
            "type": "postgres-sql",
            "source": "shop",
            "description": tool["description"],
            "statement": tool["statement"].replace("$2", "$2::date"),
            "parameters": [
                {
                    "name": each["name"],
                    "type": types[each["type"]],
                    "description": each["description"],
                    **({"default": each["default"]} if "default" in each else {}),
                }
                for each in tool["parameters"]
            ],
        }
        for tool in build_hub_tools()
    ]


def compare_lists(folder: Path, server: PostgresServer) -> Iterator[Figure]:
    """Return how many bytes the tools take in each list."""
    backend = describe_postgres(server)
    hub = write_hub(folder / "hub", [backend])
    write_live(hub, {"tools": build_hub_tools()})
    with (
        running_hub(hub),
        running_toolbox(folder / "toolbox", server, build_peer_tools()) as (_, peer),
    ):
        own = read_tools(BareClient(hub.port, TOKEN))
        other = read_tools(peer)
    own_bytes, peer_bytes = sum(map(measure, own)), sum(map(measure, other))
    schemas = sum(measure(tool.get("outputSchema", {})) for tool in own)
    yield Figure(
        f"tools/list, {TOOLS} declared tools",
        own_bytes / peer_bytes,
        "x",
        None,
        f"hub {own_bytes:,} bytes, of them {schemas:,} for the schemas of results"
        f" / MCP Toolbox {peer_bytes:,} bytes",
    )


def read_tools(client: BareClient) -> list[dict[str, Any]]:
    """Return the declared tools of a server's list."""
    listed = json.loads(client.list_tools(CLASSIC))["result"]["tools"]
    found = [tool for tool in listed if tool["name"].startswith("tool_")]
    assert len(found) == TOOLS, [tool["name"] for tool in listed]
    return found


def measure(part: object) -> int:
    """Return the bytes of a part of the list, without white space."""
    return len(json.dumps(part, separators=(",", ":")).encode())


def main() -> None:
    """Measure, and print the table."""
    with tempfile.TemporaryDirectory() as folder, open_postgres() as server:
        print(render_table(compare_lists(Path(folder), server)))


if __name__ == "__main__":
    main()
