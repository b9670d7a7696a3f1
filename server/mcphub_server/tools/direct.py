"""The short way from the SDK to a hub's own tools.

For each call FastMCP asks its providers, the session's visibility rules, transforms
and each component's own authorization. A hub's tools are fixed when it starts and use
none of that, and it costs as much CPU as the whole SDK below. So own tools are called
from here, through the same middleware; what else is mounted goes FastMCP's way.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from fastmcp import FastMCP
from fastmcp.server.middleware import CallNext, MiddlewareContext
from fastmcp.tools.base import Tool, ToolResult
from mcp.server.context import ServerRequestContext
from mcp_types import CallToolRequestParams


class Around(Protocol):
    """What a call passes on its way: limits, counts, the audit line."""

    async def __call__(
        self, context: MiddlewareContext[Any], call_next: CallNext[Any, Any]
    ) -> Any: ...


class DirectTools:
    """Answers `tools/call`."""

    def __init__(self, mcp: FastMCP, tools: Sequence[Tool], around: Around) -> None:
        self._tools = {tool.name: tool for tool in tools}
        self._around = around
        server = mcp._mcp_server  # noqa: SLF001 -- FastMCP has no other way to it
        inherited = server.get_request_handler("tools/call")
        if inherited is None:
            raise LookupError("FastMCP serves no tools/call")
        self._pass_on = inherited.handler
        # spares each modern call an internal listing of all tools
        server.get_tool_input_schema = self.find_schema
        server.add_request_handler("tools/call", CallToolRequestParams, self.answer)

    def is_own(self, name: str) -> bool:
        """Tell whether a tool is the hub's own; those send nothing but their result."""
        return name in self._tools

    def find_schema(self, name: str) -> Mapping[str, Any] | None:
        """Return the input schema of an own tool."""
        tool = self._tools.get(name)
        return None if tool is None else tool.parameters

    async def answer(
        self, ctx: ServerRequestContext[Any, Any], params: CallToolRequestParams
    ) -> Any:
        """Call an own tool, or leave it to FastMCP."""
        if params.name not in self._tools:
            return await self._pass_on(ctx, params)
        context = MiddlewareContext(message=params, method="tools/call")
        return render(await self._around(context, self._run))

    async def _run(self, context: MiddlewareContext[Any]) -> ToolResult:
        params = context.message
        return await self._tools[params.name].run(params.arguments or {})


def render(result: ToolResult) -> dict[str, Any]:
    """Return a result as the SDK sends it; its rows are not looked at."""
    rendered: dict[str, Any] = {
        "content": [
            block.model_dump(by_alias=True, mode="json", exclude_none=True)
            for block in result.content
        ],
        "isError": result.is_error,
        "resultType": "complete",
    }
    if result.structured_content is not None:
        rendered["structuredContent"] = result.structured_content
    if result.meta is not None:
        rendered["_meta"] = result.meta
    return rendered
