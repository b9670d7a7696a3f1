"""Answers a client's first request with instructions for that client.

The SDK keeps one text for a server; which databases a caller may know of depends on the
access rules, which change while the server runs.
"""

from collections.abc import Callable, Mapping
from typing import Any

from fastmcp import FastMCP
from mcp.server.context import CallNext, HandlerResult, ServerRequestContext
from pydantic import BaseModel

FIRST_REQUESTS = frozenset({"initialize", "server/discover"})


class Introduction:
    """A middleware of the SDK that writes the instructions."""

    def __init__(self, build: Callable[[], str]) -> None:
        self._build = build

    async def __call__(
        self, ctx: ServerRequestContext[Any, Any], call_next: CallNext
    ) -> HandlerResult:
        """Pass a request on; complete the answer to a first one."""
        result = await call_next(ctx)
        if ctx.method not in FIRST_REQUESTS:
            return result
        if isinstance(result, Mapping):
            return {**result, "instructions": self._build()}
        if isinstance(result, BaseModel):
            return result.model_copy(update={"instructions": self._build()})
        return result


def introduce(mcp: FastMCP, build: Callable[[], str]) -> None:
    """Have a server answer with these instructions."""
    server = mcp._mcp_server  # noqa: SLF001 -- FastMCP has no other way to it
    server.middleware.insert(0, Introduction(build))
