"""LlamaIndex: the hub's tools as function tools (pip install llama-index-tools-mcp)."""

import asyncio
import os

from llama_index.tools.mcp import BasicMCPClient, McpToolSpec

URL = os.environ["HUB_URL"]  # ends with /mcp or /sse
TOKEN = os.environ["HUB_TOKEN"]


async def main() -> None:
    client = BasicMCPClient(URL, headers={"Authorization": f"Bearer {TOKEN}"})
    tools = await McpToolSpec(client).to_tool_list_async()
    print("tools:", *sorted(tool.metadata.name for tool in tools))
    services = next(tool for tool in tools if tool.metadata.name == "list_services")
    print("answer:", await services.acall())


asyncio.run(main())
