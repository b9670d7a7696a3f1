"""A declared tool as clients see it: typed arguments in, a page of rows out.

The statement stays inside: it is in no listing, no result and no error.
"""

from collections.abc import Awaitable, Callable
from typing import Any, Protocol

import structlog
from fastmcp.tools.base import Tool, ToolResult
from mcp_types import ToolAnnotations
from pydantic import PrivateAttr

from mcphub_server.config.tools import DeclaredToolConfig
from mcphub_server.errors import QueryFailed, Rejected
from mcphub_server.tools.arguments import read_arguments
from mcphub_server.tools.building import map_errors
from mcphub_server.tools.declared.arguments import Arguments, Values
from mcphub_server.web.caller import current_client
from mcphub_server.web.claims import NO_CLAIMS

Call = Callable[[dict[str, Any]], Awaitable[ToolResult]]
Try = Callable[[], Awaitable[ToolResult]]


class DeclaredStatement(Protocol):
    """A statement of one kind of backend; `tools/<kind>/declared.py` builds it."""

    @property
    def output_schema(self) -> dict[str, Any]:
        """The JSON Schema of its results."""
        ...

    async def check(self) -> None:
        """Hold the statement against the database; raise ToolFailure if it fails."""
        ...

    async def run(self, values: Values) -> ToolResult:
        """Run it; raise ToolFailure."""
        ...


OF_THE_STATEMENT = "42"
"""The class of SQLSTATEs that say what is wrong with a statement's text or rights."""

log = structlog.get_logger(__name__)


def is_of_statement(failure: QueryFailed | Rejected) -> bool:
    """Tell whether a failure is the statement's, and so the administrator's to mend."""
    if isinstance(failure, Rejected) or failure.quotes:
        return True
    return (failure.code or OF_THE_STATEMENT).startswith(OF_THE_STATEMENT)


def hide_statement(tool: str, failure: QueryFailed | Rejected) -> QueryFailed:
    """Return the failure without the names that the statement uses."""
    code = failure.code if isinstance(failure, QueryFailed) else None
    shown = f" ({code})" if code else ""
    return QueryFailed(
        f"{tool} cannot run now{shown}. This is not due to its arguments: the "
        "administrator of this server has to mend it.",
        code,
    )


class DeclaredTool(Tool):
    """A tool whose arguments are declared and not those of a function."""

    _call: Call = PrivateAttr()
    _try: Try = PrivateAttr()

    @classmethod
    def build(
        cls,
        config: DeclaredToolConfig,
        arguments: Arguments,
        statement: DeclaredStatement,
        on_stale: Callable[[], None],
    ) -> "DeclaredTool":
        """Make the tool; `on_stale` is called when its database's schema changed."""
        title = config.title or config.name.replace("_", " ").capitalize()
        tool = cls(
            name=config.name,
            title=title,
            description=config.description,
            parameters=arguments.build_schema(),
            output_schema=statement.output_schema,
            annotations=ToolAnnotations(
                title=title,
                read_only_hint=True,
                destructive_hint=False,
                idempotent_hint=True,
                open_world_hint=False,
            ),
        )

        async def call(given: dict[str, Any]) -> ToolResult:
            read = read_arguments(tool.parameters, given)
            values = arguments.read(read, current_client().claims)
            try:
                return await statement.run(values)
            except (QueryFailed, Rejected) as failure:
                if not is_of_statement(failure):
                    raise
                on_stale()
                log.warning("declared tool failed", tool=tool.name, error=str(failure))
                raise hide_statement(tool.name, failure) from None

        async def try_defaults() -> ToolResult:
            return await statement.run(arguments.read({}, NO_CLAIMS))

        tool._call = map_errors(config.name, call)
        tool._try = try_defaults
        return tool

    async def run_with_defaults(self) -> ToolResult:
        """Run it without arguments, for the administrator; raise ToolFailure."""
        return await self._try()

    async def run(self, arguments: dict[str, Any]) -> ToolResult:
        """Run it; whatever fails is a result."""
        return await self._call(arguments)
