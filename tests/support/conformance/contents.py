"""Tools, resources and prompts that answer at once, one for each kind of content."""

import base64
import json
from typing import Any

from fastmcp import FastMCP
from fastmcp.prompts import Message
from fastmcp.resources import ResourceContent, ResourceResult
from fastmcp.tools.base import ToolResult
from mcp_types import (
    AudioContent,
    EmbeddedResource,
    GetPromptRequestParams,
    ImageContent,
    ReadResourceRequestParams,
    TextContent,
    TextResourceContents,
)

PNG = (
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR4nGP4z8DwHwAFAAH/iZk9"
    "HQAAAABJRU5ErkJggg=="
)
"""One red pixel."""

WAV = "UklGRiQAAABXQVZFZm10IBAAAAABAAEAQB8AAEAfAAABAAgAZGF0YQAAAAA="
"""A header and no sound."""

TEXT_OF_RESOURCE = "Embedded resource content for testing."


def add_contents(mcp: FastMCP) -> None:
    """Add the suite's fixtures that need nothing from the client."""
    for tool in (
        test_simple_text,
        test_image_content,
        test_audio_content,
        test_embedded_resource,
        test_multiple_content_types,
        test_error_handling,
    ):
        mcp.tool(tool)
    read_by_scheme(mcp)
    fill_by_name(mcp)
    mcp.resource("test://static-text", mime_type="text/plain")(static_text)
    mcp.resource("test://static-binary", mime_type="image/png")(static_binary)
    mcp.resource("test://watched-resource", mime_type="text/plain")(watched_resource)
    mcp.resource("test://template/{id}/data", mime_type="application/json")(templated)
    for prompt in (
        test_simple_prompt,
        test_prompt_with_arguments,
        test_prompt_with_embedded_resource,
        test_prompt_with_image,
    ):
        mcp.prompt(prompt)
    mcp.completion(complete)


def read_by_scheme(mcp: FastMCP) -> None:
    """Let FastMCP read the resources that are added here; the hub reads its own."""
    server = mcp._mcp_server
    entry = server.get_request_handler("resources/read")
    assert entry is not None

    async def read(ctx: Any, params: ReadResourceRequestParams) -> Any:
        is_added = str(params.uri).startswith("test://")
        handler = mcp._on_read_resource if is_added else entry.handler
        return await handler(ctx, params)

    server.add_request_handler("resources/read", ReadResourceRequestParams, read)


def fill_by_name(mcp: FastMCP) -> None:
    """Let FastMCP fill the prompts that are added here; the hub fills its own."""
    server = mcp._mcp_server
    entry = server.get_request_handler("prompts/get")
    assert entry is not None

    async def fill(ctx: Any, params: GetPromptRequestParams) -> Any:
        is_added = params.name.startswith("test_")
        handler = mcp._on_get_prompt if is_added else entry.handler
        return await handler(ctx, params)

    server.add_request_handler("prompts/get", GetPromptRequestParams, fill)


def embedded(uri: str, text: str, mime_type: str = "text/plain") -> EmbeddedResource:
    contents = TextResourceContents(uri=uri, mime_type=mime_type, text=text)
    return EmbeddedResource(type="resource", resource=contents)


def image() -> ImageContent:
    return ImageContent(type="image", data=PNG, mime_type="image/png")


def text(words: str) -> TextContent:
    return TextContent(type="text", text=words)


def test_simple_text() -> ToolResult:
    """Answer with one text."""
    return ToolResult(content=[text("This is a simple text response for testing.")])


def test_image_content() -> ToolResult:
    """Answer with one picture."""
    return ToolResult(content=[image()])


def test_audio_content() -> ToolResult:
    """Answer with one sound."""
    sound = AudioContent(type="audio", data=WAV, mime_type="audio/wav")
    return ToolResult(content=[sound])


def test_embedded_resource() -> ToolResult:
    """Answer with one embedded resource."""
    words = "This is an embedded resource content."
    return ToolResult(content=[embedded("test://embedded-resource", words)])


def test_multiple_content_types() -> ToolResult:
    """Answer with a text, a picture and an embedded resource."""
    data = embedded(
        "test://mixed-content-resource",
        json.dumps({"test": "data", "value": 123}),
        "application/json",
    )
    return ToolResult(content=[text("Multiple content types test:"), image(), data])


def test_error_handling() -> ToolResult:
    """Answer with an error."""
    words = "This tool intentionally returns an error for testing"
    return ToolResult(content=[text(words)], is_error=True)


def static_text() -> str:
    """A text that never changes."""
    return "This is the content of the static text resource."


def static_binary() -> ResourceResult:
    """A picture that never changes."""
    content = ResourceContent(base64.b64decode(PNG), mime_type="image/png")
    return ResourceResult([content])


def watched_resource() -> str:
    """A text that one can subscribe to."""
    return "Watched resource content"


def templated(id: str) -> str:  # noqa: A002 - the template's word is the suite's
    """A text made from its address."""
    data: dict[str, Any] = {"id": id, "templateTest": True}
    return json.dumps({**data, "data": f"Data for ID: {id}"})


def test_simple_prompt() -> str:
    """A prompt without arguments."""
    return "This is a simple prompt for testing."


def test_prompt_with_arguments(arg1: str, arg2: str) -> str:
    """A prompt with two arguments."""
    return f"Prompt with arguments: arg1='{arg1}', arg2='{arg2}'"


def test_prompt_with_embedded_resource(
    resourceUri: str,  # noqa: N803 - the suite's word
) -> list[Message]:
    """A prompt that carries a resource."""
    return [
        Message(embedded(resourceUri, TEXT_OF_RESOURCE)),
        Message("Please process the embedded resource above."),
    ]


def test_prompt_with_image() -> list[Message]:
    """A prompt that carries a picture."""
    return [Message(image()), Message("Please analyze the image above.")]


def complete(_reference: Any, _argument: Any, _context: Any) -> list[str]:
    """Offer no completions; the suite asks only that the question is answered."""
    return []
