"""Servers to compare the hub with: the bare SDK, and FastMCP with nothing added.

Run as `python -m bench.floor sdk|fastmcp PORT`. Both serve the tool `echo` on the
same HTTP parser and with JSON replies, as the hub does.
"""

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

ECHO_SCHEMA = {
    "type": "object",
    "properties": {"text": {"type": "string"}},
    "required": ["text"],
}


async def echo(text: str) -> ToolResult:
    """Answer with the text."""
    return ToolResult(
        content=[TextContent(text=text)], structured_content={"text": text}
    )


def build_sdk_app() -> Starlette:
    """Return a server of the low-level SDK alone."""
    tool = Tool(name="echo", input_schema=ECHO_SCHEMA)

    async def list_tools(_ctx: Any, _params: Any) -> ListToolsResult:
        return ListToolsResult(tools=[tool])

    async def call_tool(_ctx: Any, params: CallToolRequestParams) -> CallToolResult:
        text = str((params.arguments or {})["text"])
        content = [TextContent(text=text)]
        return CallToolResult(content=content, structured_content={"text": text})

    server: Server[Any] = Server(
        "floor",
        on_list_tools=list_tools,
        on_call_tool=call_tool,
        get_tool_input_schema=lambda _name: ECHO_SCHEMA,
    )
    return server.streamable_http_app(json_response=True, stateless_http=True)


def build_fastmcp_app() -> Starlette:
    """Return FastMCP with the same tool and its defaults."""
    mcp = FastMCP("floor")
    mcp.tool(echo)
    return mcp.http_app(json_response=True, stateless_http=True)


def main() -> None:
    """Serve until killed."""
    kind, port = sys.argv[1:]
    app = build_sdk_app() if kind == "sdk" else build_fastmcp_app()
    uvicorn.run(app, port=int(port), http="h11", log_level="error", access_log=False)


if __name__ == "__main__":
    main()
