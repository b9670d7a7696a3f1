"""The fast path to a hub's own tools, from the SDK and from the endpoint itself.

For each call FastMCP consults its providers, the session's visibility rules,
transforms and each component's own authorization, and the SDK then walks the whole
result three times to check and copy it. A hub's tools
need none of that, which costs as much CPU as all the rest of a call. So own tools are
answered here, before both, through the hub's own middleware. A tool that the caller may
not use passes on like one that does not exist, and FastMCP does not find it either.
"""

from collections.abc import Callable, Mapping
from typing import Any, Protocol

from fastmcp import FastMCP
from fastmcp.exceptions import NotFoundError
from fastmcp.server.middleware import CallNext, MiddlewareContext
from fastmcp.tools.base import Tool, ToolResult
from mcp.server.context import CallNext as PassOn
from mcp.server.context import HandlerResult, ServerRequestContext
from mcp_types import (
    SERVER_INFO_META_KEY,
    CallToolRequestParams,
    ContentBlock,
    TextContent,
)
from mcp_types.version import MODERN_PROTOCOL_VERSIONS
from pydantic import ValidationError

FIRST_WITH_STRUCTURED_CONTENT = "2025-06-18"


FindTool = Callable[[str], Tool | None]
"""Finds an own tool that the current caller may use."""


class CallMiddleware(Protocol):
    """What every call passes: limits, counts, the audit line."""

    async def __call__(
        self, context: MiddlewareContext[Any], call_next: CallNext[Any, Any]
    ) -> Any: ...


class ToolFastPath:
    """A middleware of the SDK that answers `tools/call` for own tools."""

    def __init__(
        self, mcp: FastMCP, find: FindTool, middleware: CallMiddleware
    ) -> None:
        self._find = find
        self._middleware = middleware
        server = mcp._mcp_server  # noqa: SLF001 -- FastMCP has no other way to it
        self._stamp = {SERVER_INFO_META_KEY: server.server_info_stamp}
        # spares each modern call an internal listing of all tools
        server.get_tool_input_schema = self.find_schema
        server.middleware.insert(0, self)

    def is_own(self, name: str) -> bool:
        """Return whether a tool is the hub's own; such a tool sends only its result."""
        return self._find(name) is not None

    def find_schema(self, name: str) -> Mapping[str, Any] | None:
        """Return the input schema of an own tool."""
        tool = self._find(name)
        return None if tool is None else tool.parameters

    async def __call__(
        self, ctx: ServerRequestContext[Any, Any], call_next: PassOn
    ) -> HandlerResult:
        """Answer the call of an own tool; pass on every other request."""
        params = self._find_call(ctx)
        if params is None:
            return await call_next(ctx)
        return await self._answer(params, ctx.protocol_version)

    async def answer(
        self, params: CallToolRequestParams, revision: str
    ) -> dict[str, Any] | None:
        """Answer a call that the endpoint has read itself.

        Returns:
            The result as this revision's clients read it; None if it is no own tool's.
        """
        if self._find(params.name) is None:
            return None
        try:
            return await self._answer(params, revision)
        except NotFoundError:  # withdrawn a moment ago
            return None

    async def _answer(
        self, params: CallToolRequestParams, revision: str
    ) -> dict[str, Any]:
        context = MiddlewareContext(message=params, method="tools/call")
        result = await self._middleware(context, self._run)
        return self._render(result, revision)

    def _find_call(
        self, ctx: ServerRequestContext[Any, Any]
    ) -> CallToolRequestParams | None:
        """Return the parameters of an own tool's call, if it is one and well-formed."""
        if ctx.method != "tools/call" or ctx.request_id is None or not ctx.params:
            return None
        name = ctx.params.get("name")
        if not isinstance(name, str) or self._find(name) is None:
            return None
        try:
            return CallToolRequestParams.model_validate(ctx.params, by_name=False)
        except ValidationError:
            return None

    async def _run(self, context: MiddlewareContext[Any]) -> ToolResult:
        params = context.message
        tool = self._find(params.name)
        if tool is None:  # it was withdrawn a moment ago
            raise NotFoundError(f"Unknown tool: {params.name!r}")
        return await tool.run(params.arguments or {})

    def _render(self, result: ToolResult, revision: str) -> dict[str, Any]:
        """Return a result as this revision's clients read it; its rows as they are."""
        rendered: dict[str, Any] = {
            "content": [render_block(block) for block in result.content],
            "isError": result.is_error,
        }
        if (
            result.structured_content is not None
            and revision >= FIRST_WITH_STRUCTURED_CONTENT
        ):
            rendered["structuredContent"] = result.structured_content
        meta = dict(result.meta or {})
        if revision in MODERN_PROTOCOL_VERSIONS:
            rendered["resultType"] = "complete"
            meta.update(self._stamp)
        if meta:
            rendered["_meta"] = meta
        return rendered


def render_block(block: ContentBlock) -> dict[str, Any]:
    """Return a block as JSON has it; most are text and nothing else."""
    if type(block) is TextContent and not block.annotations and not block.meta:
        return {"type": "text", "text": block.text}
    return block.model_dump(by_alias=True, mode="json", exclude_none=True)
