"""Google ADK: the hub as a toolset of an agent (pip install 'google-adk[mcp]')."""

import asyncio
import os

from google.adk.tools.mcp_tool import (
    McpToolset,
    SseConnectionParams,
    StreamableHTTPConnectionParams,
)

URL = os.environ["HUB_URL"]  # ends with /mcp or /sse
TOKEN = os.environ["HUB_TOKEN"]


async def main() -> None:
    kind = (
        SseConnectionParams if URL.endswith("/sse") else StreamableHTTPConnectionParams
    )
    params = kind(url=URL, headers={"Authorization": f"Bearer {TOKEN}"}, timeout=60)
    # LlmAgent(..., tools=[hub]) gives the tools to an agent.
    hub = McpToolset(connection_params=params)
    tools = await hub.get_tools()
    print("tools:", *sorted(tool.name for tool in tools))
    services = next(tool for tool in tools if tool.name == "list_services")
    print("answer:", await services.run_async(args={}, tool_context=None))
    await hub.close()


asyncio.run(main())
