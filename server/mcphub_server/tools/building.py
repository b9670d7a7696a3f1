"""One way to make a tool, so that all behave alike towards a model.

Here, and nowhere else, this project's errors become what a client reads: a failure
that is a `ToolFailure` is told in full as a tool error (never as a protocol error:
models recover from the first and hosts give up on the second); anything else is a
fault of ours, logged by its type alone and told without details.
"""

import functools
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, ParamSpec

import structlog
from fastmcp.tools.base import Tool, ToolResult
from fastmcp.tools.function_tool import FunctionTool
from mcp_types import TextContent, ToolAnnotations

from mcphub_server.errors import Forbidden, Rejected, ToolFailure
from mcphub_server.results.encoded import EncodedJson
from mcphub_server.tools.arguments import read_arguments, simplify_schema

LONGEST_DESCRIPTION = 1024
"""Flowise cuts what is longer."""

ERROR_META = "mcphub/error"
"""The key under which an error result tells programs its kind."""

log = structlog.get_logger(__name__)

Parameters = ParamSpec("Parameters")
ToolFunction = Callable[Parameters, Awaitable[ToolResult]]


@dataclass(frozen=True, slots=True)
class ToolDescription:
    """What a model and its host read about a tool.

    Attributes:
        name: The tool's name, prefixed with the backend's.
        title: For people.
        text: For the model: when to use it, what it takes, what it returns.
        output_schema: JSON Schema of the structured content.
    """

    name: str
    title: str
    text: str
    output_schema: dict[str, Any]

    def __post_init__(self) -> None:
        if len(self.text) > LONGEST_DESCRIPTION:
            raise ValueError(f"the description of {self.name} is too long")


class ReadOnlyTool(FunctionTool):
    """A tool that reads its arguments as clients send them."""

    async def run(self, arguments: dict[str, Any]) -> ToolResult:
        """Run it; what is wrong with the arguments' names is a result too."""
        try:
            given = read_arguments(self.parameters, arguments)
        except ToolFailure as failure:
            return build_failure(failure)
        return await super().run(given)


def build_tool(
    description: ToolDescription, function: ToolFunction[Parameters]
) -> Tool:
    """Make a read-only tool from a coroutine function.

    Its parameters become the input schema: annotate each with a pydantic Field.
    """
    tool = ReadOnlyTool.from_function(
        map_errors(description.name, function),
        name=description.name,
        title=description.title,
        description=description.text,
        output_schema=description.output_schema,
        annotations=ToolAnnotations(
            title=description.title,
            read_only_hint=True,
            destructive_hint=False,
            idempotent_hint=True,
            open_world_hint=False,
        ),
    )
    tool.parameters = simplify_schema(tool.parameters)
    return tool


def map_errors(
    name: str, function: ToolFunction[Parameters]
) -> ToolFunction[Parameters]:
    """Wrap a tool so that it answers with an error result instead of raising."""

    @functools.wraps(function)
    async def wrapped(
        *args: Parameters.args, **kwargs: Parameters.kwargs
    ) -> ToolResult:
        try:
            return await function(*args, **kwargs)
        except ToolFailure as failure:
            if isinstance(failure, Forbidden):
                log.warning("call forbidden", tool=name, cause=failure.cause)
            return build_failure(failure)
        except Exception:  # the edge: nothing may reach the client raw
            log.exception("tool failed unexpectedly", tool=name)
            return build_error(
                f"{name} failed inside the server; this is not your "
                "fault, and trying again may help.",
                "internal",
            )

    return wrapped


def build_result(text: str) -> ToolResult:
    """Make a result from the JSON text of an object, which is not encoded again.

    FastMCP's own constructor walks every value through pydantic, which for rows
    costs more than fetching them.
    """
    structured: Any = EncodedJson(text)
    return ToolResult.model_construct(
        content=[TextContent(type="text", text=text)],
        structured_content=structured,
        meta=None,
        is_error=False,
    )


def build_failure(failure: ToolFailure) -> ToolResult:
    """Make the error result that tells a model what failed and what to do."""
    kind = "".join(
        f"_{letter.lower()}" if letter.isupper() else letter
        for letter in type(failure).__name__
    ).removeprefix("_")
    rule = failure.rule if isinstance(failure, Rejected) else ""
    return build_error(str(failure), kind, failure.retry_after_seconds, rule)


def build_error(
    message: str, kind: str, retry_after_seconds: float | None = None, rule: str = ""
) -> ToolResult:
    """Make an error result; `kind` and `rule` are in its metadata and the metrics."""
    details: dict[str, Any] = {"kind": kind}
    if rule:
        details["rule"] = rule
    if retry_after_seconds is not None:
        details["retryAfterSeconds"] = round(retry_after_seconds, 3)
    return ToolResult.model_construct(
        content=[TextContent(type="text", text=message)],
        structured_content=None,
        meta={ERROR_META: details},
        is_error=True,
    )
