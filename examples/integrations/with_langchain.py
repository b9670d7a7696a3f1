"""LangChain: the hub's tools as its own (pip install langchain-mcp-adapters)."""

import asyncio
import os

from langchain_mcp_adapters.client import MultiServerMCPClient

URL = os.environ["HUB_URL"]  # ends with /mcp or /sse
TOKEN = os.environ["HUB_TOKEN"]


async def main() -> None:
    hub = {
        "transport": "sse" if URL.endswith("/sse") else "streamable_http",
        "url": URL,
        "headers": {"Authorization": f"Bearer {TOKEN}"},
    }
    tools = await MultiServerMCPClient({"hub": hub}).get_tools()
    print("tools:", *sorted(tool.name for tool in tools))
    services = next(tool for tool in tools if tool.name == "list_services")
    print("answer:", await services.ainvoke({}))


asyncio.run(main())
