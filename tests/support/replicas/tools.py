"""Tools that tell which replica runs them, and that talk to the client meanwhile."""

import asyncio
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fastmcp import Context, FastMCP
from mcp_types import SamplingMessage, TextContent, ToolListChangedNotification

from mcphub_server.web.caller import current_client

STEP_SECONDS = 0.02


@dataclass
class Name:
    """What a client is asked for."""

    name: str


async def pass_gate(gate: str) -> None:
    """Return once a file is there; at once if none is named."""
    while gate and not Path(gate).exists():  # noqa: ASYNC110, ASYNC240 -- of a test
        await asyncio.sleep(STEP_SECONDS)


def add_tools(mcp: FastMCP, uid: str) -> None:
    """Add the tools of the replica that is called so."""
    add_quiet_tools(mcp, uid)
    add_talking_tools(mcp, uid)


def add_quiet_tools(mcp: FastMCP, uid: str) -> None:
    """Add tools that only answer."""

    async def where() -> str:
        """Tell which replica runs this."""
        return uid

    async def who() -> str:
        """Tell who is calling, and from where."""
        client = current_client()
        return f"{client.principal} {client.address}"

    async def slow(seconds: float) -> str:
        """Take a while."""
        await asyncio.sleep(seconds)
        return uid

    async def gated(gate: str) -> str:
        """Take until a file is there."""
        await pass_gate(gate)
        return uid

    for tool in (where, who, slow, gated):
        mcp.tool(tool)


def add_talking_tools(mcp: FastMCP, uid: str) -> None:
    """Add tools that say or ask something before they answer."""

    async def stepwise(steps: int, ctx: Context) -> str:
        """Tell how far it is."""
        for step in range(steps):
            await ctx.report_progress(step, steps)
            await asyncio.sleep(STEP_SECONDS)
        return uid

    async def tell(words: str, ctx: Context) -> str:
        """Send a log message."""
        await ctx.info(words)
        return uid

    async def ask(ctx: Context, gate: str = "") -> str:
        """Ask the user for a name, once a file is there."""
        await pass_gate(gate)
        answer: Any = await ctx.elicit("What is your name?", Name)
        return f"{uid} {answer.data.name}"

    async def sample(ctx: Context) -> str:
        """Ask the client's model."""
        question = SamplingMessage(role="user", content=TextContent(text="Hello?"))
        result = await ctx.session.create_message(
            [question], max_tokens=10, related_request_id=ctx.request_id
        )
        assert isinstance(result.content, TextContent)
        return f"{uid} {result.content.text}"

    async def change(ctx: Context) -> str:
        """Say that the list of tools has changed, and to no request in particular."""
        await ctx.session.send_notification(ToolListChangedNotification())
        return uid

    for tool in (stepwise, tell, ask, sample, change):
        mcp.tool(tool)
