"""Tools that talk to the client before they answer: logs, progress, questions."""

import asyncio
from typing import Any

from fastmcp import Context, FastMCP
from mcp.shared.exceptions import MCPError
from mcp.shared.message import ServerMessageMetadata
from mcp_types import (
    MISSING_REQUIRED_CLIENT_CAPABILITY,
    CreateMessageRequest,
    CreateMessageRequestParams,
    CreateMessageResult,
    ElicitRequest,
    ElicitRequestFormParams,
    ElicitResult,
    SamplingMessage,
    TextContent,
)

BETWEEN_MESSAGES_SECONDS = 0.05

DEFAULTS = {
    "name": {"type": "string", "default": "John Doe"},
    "age": {"type": "integer", "default": 30},
    "score": {"type": "number", "default": 95.5},
    "status": {
        "type": "string",
        "enum": ["active", "inactive", "pending"],
        "default": "active",
    },
    "verified": {"type": "boolean", "default": True},
}

OPTIONS = ["option1", "option2", "option3"]
TITLED_OPTIONS = [
    {"const": "value1", "title": "First Option"},
    {"const": "value2", "title": "Second Option"},
    {"const": "value3", "title": "Third Option"},
]
ENUMS = {
    "untitledSingle": {"type": "string", "enum": OPTIONS},
    "titledSingle": {"type": "string", "oneOf": TITLED_OPTIONS},
    "legacyEnum": {
        "type": "string",
        "enum": ["opt1", "opt2", "opt3"],
        "enumNames": ["Option One", "Option Two", "Option Three"],
    },
    "untitledMulti": {"type": "array", "items": {"type": "string", "enum": OPTIONS}},
    "titledMulti": {"type": "array", "items": {"anyOf": TITLED_OPTIONS}},
}

CONTACT = {
    "username": {"type": "string", "description": "User's response"},
    "email": {"type": "string", "description": "User's email address"},
}


def add_dialogues(mcp: FastMCP) -> None:
    """Add the suite's fixtures that send messages while they run."""
    for tool in (
        test_tool_with_logging,
        test_tool_with_progress,
        test_sampling,
        test_elicitation,
        test_elicitation_sep1034_defaults,
        test_elicitation_sep1330_enums,
        test_logging_tool,
        test_streaming_elicitation,
        test_missing_capability,
    ):
        mcp.tool(tool)


async def test_tool_with_logging(ctx: Context) -> str:
    """Send three log messages."""
    await ctx.info("Tool execution started")
    await asyncio.sleep(BETWEEN_MESSAGES_SECONDS)
    await ctx.info("Tool processing data")
    await asyncio.sleep(BETWEEN_MESSAGES_SECONDS)
    await ctx.info("Tool execution completed")
    return "Tool with logging executed successfully"


async def test_tool_with_progress(ctx: Context) -> str:
    """Send three progress messages."""
    for progress in (0, 50, 100):
        await ctx.report_progress(progress=progress, total=100)
        await asyncio.sleep(BETWEEN_MESSAGES_SECONDS)
    return "Tool with progress executed successfully"


async def test_sampling(prompt: str, ctx: Context) -> str:
    """Ask the client's model."""
    message = SamplingMessage(role="user", content=TextContent(text=prompt))
    result = await ctx.session.send_request(
        CreateMessageRequest(
            params=CreateMessageRequestParams(messages=[message], max_tokens=100)
        ),
        CreateMessageResult,
        metadata=ServerMessageMetadata(ctx.request_id),
    )
    content = result.content
    said = content.text if isinstance(content, TextContent) else "no text"
    return f"LLM response: {said}"


async def test_elicitation(message: str, ctx: Context) -> str:
    """Ask the user for a name and an address."""
    return f"User response: {await ask(ctx, message, CONTACT, ['username', 'email'])}"


async def test_elicitation_sep1034_defaults(ctx: Context) -> str:
    """Ask the user with a default for each primitive type."""
    answer = await ask(ctx, "Please provide user information", DEFAULTS, [])
    return f"Elicitation completed: {answer}"


async def test_elicitation_sep1330_enums(ctx: Context) -> str:
    """Ask the user with each way to write an enum."""
    answer = await ask(ctx, "Please select values", ENUMS, [])
    return f"Elicitation completed: {answer}"


async def ask(
    ctx: Context, message: str, properties: dict[str, Any], required: list[str]
) -> str:
    """Ask the user, and return the answer as the suite wants it written."""
    schema = {"type": "object", "properties": properties, "required": required}
    params = ElicitRequestFormParams(message=message, requested_schema=schema)
    # over the stream of the call: a session's own stream may not be open yet
    result = await ctx.session.send_request(
        ElicitRequest(params=params),
        ElicitResult,
        metadata=ServerMessageMetadata(ctx.request_id),
    )
    return f"action={result.action}, content={result.content}"


async def test_logging_tool(ctx: Context) -> str:
    """Send a log message, which a client that asked for none must not see."""
    await ctx.info("This message is for clients that asked for it")
    return "Logged"


async def test_streaming_elicitation(ctx: Context) -> str:
    """Send progress on the response's own stream, and no request."""
    await ctx.report_progress(progress=1, total=1)
    return "Streamed"


async def test_missing_capability(ctx: Context) -> str:
    """Refuse a client that has not declared sampling."""
    capabilities = ctx.session.client_capabilities
    if capabilities is None or capabilities.sampling is None:
        raise MCPError(
            MISSING_REQUIRED_CLIENT_CAPABILITY,
            "This tool needs the client's sampling",
            {"requiredCapabilities": {"sampling": {}}},
        )
    return "The client offers sampling"
