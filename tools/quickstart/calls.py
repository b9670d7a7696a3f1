"""One tool call by a real MCP client, over either transport."""

import asyncio
import json
from dataclasses import dataclass

from fastmcp import Client
from fastmcp.client.transports import SSETransport, StreamableHttpTransport

_TIMEOUT_SECONDS = 30.0


@dataclass(frozen=True, slots=True)
class Answer:
    """What a hub said: its tools, and one call's structured result."""

    tools: tuple[str, ...]
    result: object


def call_tool(url: str, token: str, tool: str, arguments: dict[str, object]) -> Answer:
    """List the tools at `url` and call one of them.

    Args:
        url: Ends in `/sse` for the older transport, in `/mcp` for the newer one.
        token: The client's bearer token.
        tool: The tool's name.
        arguments: Its arguments.

    Raises:
        Exception: Whatever the client raises; the caller shows it.
    """
    return asyncio.run(
        asyncio.wait_for(_call(url, token, tool, arguments), _TIMEOUT_SECONDS)
    )


async def _call(
    url: str, token: str, tool: str, arguments: dict[str, object]
) -> Answer:
    transport_type = SSETransport if url.endswith("/sse") else StreamableHttpTransport
    transport = transport_type(url, headers={"Authorization": f"Bearer {token}"})
    async with Client(transport) as client:
        tools = tuple(found.name for found in await client.list_tools())
        result = await client.call_tool(tool, arguments)
        return Answer(tools, result.structured_content)


def show_answer(answer: Answer) -> str:
    """The answer as a person reads it: compact JSON."""
    return json.dumps(answer.result, ensure_ascii=False)
