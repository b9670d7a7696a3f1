"""OpenAI Agents SDK: the hub as a server of an agent (pip install openai-agents)."""

import asyncio
import os

from agents.mcp import MCPServerSse, MCPServerStreamableHttp

URL = os.environ["HUB_URL"]  # ends with /mcp or /sse
TOKEN = os.environ["HUB_TOKEN"]


async def main() -> None:
    params = {"url": URL, "headers": {"Authorization": f"Bearer {TOKEN}"}}
    kind = MCPServerSse if URL.endswith("/sse") else MCPServerStreamableHttp
    # Agent(..., mcp_servers=[hub]) gives the tools to an agent.
    async with kind(
        params, cache_tools_list=True, client_session_timeout_seconds=60
    ) as hub:
        tools = await hub.list_tools()
        print("tools:", *sorted(tool.name for tool in tools))
        result = await hub.call_tool("list_services", {})
        print("answer:", result.content[0].text)


asyncio.run(main())
