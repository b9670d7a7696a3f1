"""Own tools called past FastMCP's pipeline, foreign ones through it."""

from typing import Any

import pytest
from fastmcp import Client, FastMCP
from fastmcp.server.middleware import CallNext, Middleware, MiddlewareContext
from fastmcp.tools.base import ToolResult

from mcphub_server.calls.fast_path import ToolFastPath
from mcphub_server.tools.building import (
    ToolDescription,
    build_error,
    build_tool,
)


class Witness(Middleware):
    """Remembers which tools were called through it."""

    def __init__(self) -> None:
        self.seen: list[str] = []

    async def on_call_tool(
        self, context: MiddlewareContext[Any], call_next: CallNext[Any, Any]
    ) -> Any:
        self.seen.append(context.message.name)
        return await call_next(context)


async def double(number: int) -> ToolResult:
    return ToolResult(
        content=str(2 * number), structured_content={"number": 2 * number, "note": None}
    )


async def fail() -> ToolResult:
    return build_error("It cannot be done; try double.", "refused")


def describe(name: str) -> ToolDescription:
    return ToolDescription(name, name.title(), "For tests.", {"type": "object"})


@pytest.fixture
def witness() -> Witness:
    return Witness()


@pytest.fixture
def mcp(witness: Witness) -> FastMCP:
    """A server with two own tools and a foreign one."""
    mcp: FastMCP = FastMCP("direct", middleware=[witness])
    own = [build_tool(describe("double"), double), build_tool(describe("fail"), fail)]
    for tool in own:
        mcp.add_tool(tool)
    mcp.tool(lambda: "foreign", name="foreign")
    ToolFastPath(mcp, {tool.name: tool for tool in own}.get, witness)
    return mcp


@pytest.mark.parametrize(
    ("tool", "arguments"),
    [
        pytest.param("double", {"number": 4}, id="an own tool"),
        pytest.param("foreign", {}, id="a foreign tool"),
    ],
)
async def test_every_call_passes_the_middleware_once(
    tool: str, arguments: dict[str, Any], mcp: FastMCP, witness: Witness
) -> None:
    async with Client(mcp) as client:
        await client.call_tool(tool, arguments)

    assert witness.seen == [tool]


async def test_an_own_result_arrives_whole(mcp: FastMCP) -> None:
    async with Client(mcp) as client:
        result = await client.call_tool("double", {"number": 4})

    assert result.structured_content == {"number": 8, "note": None}
    assert [block.text for block in result.content] == ["8"]


async def test_an_own_error_arrives_with_its_kind(mcp: FastMCP) -> None:
    async with Client(mcp) as client:
        result = await client.call_tool("fail", raise_on_error=False)

    assert result.is_error
    assert result.content[0].text == "It cannot be done; try double."
    assert result.meta["mcphub/error"] == {"kind": "refused"}


async def test_own_schemas_are_known_without_a_listing(mcp: FastMCP) -> None:
    find_schema = mcp._mcp_server.get_tool_input_schema

    assert find_schema is not None
    assert find_schema("double")["required"] == ["number"]
    assert find_schema("foreign") is None
