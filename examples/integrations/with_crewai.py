"""CrewAI: the hub's tools for a crew's agents (pip install 'crewai-tools[mcp]')."""

import os

from crewai_tools import MCPServerAdapter

URL = os.environ["HUB_URL"]  # ends with /mcp or /sse
TOKEN = os.environ["HUB_TOKEN"]

hub = {
    "transport": "sse" if URL.endswith("/sse") else "streamable-http",
    "url": URL,
    "headers": {"Authorization": f"Bearer {TOKEN}"},
}
# Agent(..., tools=tools) gives the tools to an agent.
with MCPServerAdapter(hub, connect_timeout=60) as tools:
    print("tools:", *sorted(tool.name for tool in tools))
    services = next(tool for tool in tools if tool.name == "list_services")
    print("answer:", services.run())
