"""Microsoft Agent Framework: the hub as a tool (pip install agent-framework-core mcp).

It speaks streamable HTTP only: HUB_URL ends with /mcp.
"""

import asyncio
import os

from agent_framework import MCPStreamableHTTPTool

URL = os.environ["HUB_URL"]
TOKEN = os.environ["HUB_TOKEN"]


async def main() -> None:
    headers = {"Authorization": f"Bearer {TOKEN}"}
    # Agent(..., tools=[hub]) gives the tools to an agent.
    async with MCPStreamableHTTPTool(
        name="hub", url=URL, static_headers=headers
    ) as hub:
        print("tools:", *sorted(tool.name for tool in hub.functions))
        print("answer:", await hub.call_tool("list_services"))


asyncio.run(main())
