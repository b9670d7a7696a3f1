"""The limits of one tool, which only lower those of the hub."""

from dataclasses import replace

from mcphub_server.config.hub import LimitsConfig
from mcphub_server.config.tools import DeclaredToolConfig
from mcphub_server.tools.context import ToolContext


def narrow(context: ToolContext, config: DeclaredToolConfig) -> ToolContext:
    """Return the context with the tool's own limits."""
    limits, own = context.limits, config.limits
    seconds = own.statement_timeout_seconds or limits.statement_timeout_seconds
    changes = {
        "max_rows": min(limits.max_rows, own.max_rows or limits.max_rows),
        "statement_timeout_seconds": min(limits.statement_timeout_seconds, seconds),
    }
    narrowed: LimitsConfig = limits.model_copy(update=changes)
    return replace(context, limits=narrowed)
