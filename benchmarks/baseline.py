"""Servers to compare the hub with: the bare SDK, and FastMCP with nothing added.

Run as `python -m benchmarks.baseline sdk|fastmcp PORT`. Both serve a `health_check`
that gives a constant answer like the hub's, with h11 and asyncio's own
loop, which need no package beside the SDK's, as JSON.
"""

import json
import sys
from typing import Any

import uvicorn
from fastmcp import FastMCP
from fastmcp.tools.base import ToolResult
from mcp.server.lowlevel import Server
from mcp_types import (
    CallToolRequestParams,
    CallToolResult,
    ListToolsResult,
    TextContent,
    Tool,
)
from starlette.applications import Starlette

KEEP_ALIVE_SECONDS = 180

NO_ARGUMENTS: dict[str, Any] = {"type": "object", "properties": {}}
ANSWER: dict[str, Any] = {
    "status": "healthy",
    "service": "baseline",
    "version": "0",
    "message": "All 1 backends are connected.",
    "backends": {"postgres": {"state": "Connected"}},
}
TEXT = json.dumps(ANSWER)


async def health_check() -> ToolResult:
    """Answer with the constant."""
    return ToolResult(content=[TextContent(text=TEXT)], structured_content=ANSWER)


def build_sdk_app() -> Starlette:
    """Return a server of the low-level SDK alone."""
    tool = Tool(name="health_check", input_schema=NO_ARGUMENTS)

    async def list_tools(_ctx: Any, _params: Any) -> ListToolsResult:
        return ListToolsResult(tools=[tool])

    async def call_tool(_ctx: Any, _params: CallToolRequestParams) -> CallToolResult:
        content = [TextContent(text=TEXT)]
        return CallToolResult(content=content, structured_content=ANSWER)

    server: Server[Any] = Server(
        "baseline", on_list_tools=list_tools, on_call_tool=call_tool
    )
    return server.streamable_http_app(json_response=True, stateless_http=True)


def build_fastmcp_app() -> Starlette:
    """Return FastMCP with the same tool and its defaults."""
    mcp = FastMCP("baseline")
    mcp.tool(health_check)
    return mcp.http_app(json_response=True, stateless_http=True)


def main() -> None:
    """Serve until killed."""
    kind, port = sys.argv[1:]
    app = build_sdk_app() if kind == "sdk" else build_fastmcp_app()
    uvicorn.run(
        app,
        port=int(port),
        loop="asyncio",
        http="h11",
        log_level="error",
        access_log=False,
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
    )


if __name__ == "__main__":
    main()
