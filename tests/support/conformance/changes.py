"""Lists that change while clients listen, in both the old and the new protocol.

FastMCP serves neither `resources/subscribe` nor `subscriptions/listen`, since no
component of its own changes by itself; the SDK below it has a handler for each.
"""

from collections.abc import Awaitable, Callable
from typing import Any

from fastmcp import FastMCP
from mcp.server.subscriptions import (
    InMemorySubscriptionBus,
    ListenHandler,
    PromptsListChanged,
    ToolsListChanged,
)
from mcp_types import (
    EmptyResult,
    SubscribeRequestParams,
    SubscriptionsListenRequestParams,
    UnsubscribeRequestParams,
)

Handler = Callable[[Any, Any], Awaitable[EmptyResult]]


def add_changes(mcp: FastMCP) -> None:
    """Add subscriptions, and two tools that pretend a list has changed."""
    bus = InMemorySubscriptionBus()
    watched: set[str] = set()

    async def subscribe(_ctx: Any, params: SubscribeRequestParams) -> EmptyResult:
        watched.add(str(params.uri))
        return EmptyResult()

    async def unsubscribe(_ctx: Any, params: UnsubscribeRequestParams) -> EmptyResult:
        watched.discard(str(params.uri))
        return EmptyResult()

    async def test_trigger_tool_change() -> str:
        """Pretend that the list of tools has changed."""
        await bus.publish(ToolsListChanged())
        return "Told"

    async def test_trigger_prompt_change() -> str:
        """Pretend that the list of prompts has changed."""
        await bus.publish(PromptsListChanged())
        return "Told"

    server = mcp._mcp_server
    server.add_request_handler(
        "subscriptions/listen", SubscriptionsListenRequestParams, ListenHandler(bus)
    )
    server.add_request_handler("resources/subscribe", SubscribeRequestParams, subscribe)
    server.add_request_handler(
        "resources/unsubscribe", UnsubscribeRequestParams, unsubscribe
    )
    mcp.tool(test_trigger_tool_change)
    mcp.tool(test_trigger_prompt_change)
