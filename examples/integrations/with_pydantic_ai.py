"""Pydantic AI: the hub as a toolset (pip install 'pydantic-ai-slim[mcp]')."""

import asyncio
import os

from fastmcp.client.transports import SSETransport, StreamableHttpTransport
from pydantic_ai.mcp import MCPToolset

URL = os.environ["HUB_URL"]  # ends with /mcp or /sse
TOKEN = os.environ["HUB_TOKEN"]


async def main() -> None:
    headers = {"Authorization": f"Bearer {TOKEN}"}
    kind = SSETransport if URL.endswith("/sse") else StreamableHttpTransport
    # Agent(..., toolsets=[hub]) gives the tools to an agent.
    hub = MCPToolset(kind(URL, headers=headers))
    async with hub:
        tools = await hub.list_tools()
        print("tools:", *sorted(tool.name for tool in tools))
        print("answer:", await hub.direct_call_tool("list_services", {}))


asyncio.run(main())
