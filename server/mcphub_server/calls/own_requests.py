"""How a request of MCP is answered here, past FastMCP's own handler of its method.

It passes the middleware that all requests of the hub pass, once.
"""

from collections.abc import Awaitable, Callable
from typing import Any

from fastmcp.server.middleware import MiddlewareContext
from fastmcp.server.middleware.middleware import mark_interior_dispatched
from mcp.server.context import ServerRequestContext

from mcphub_server.calls.fast_path import CallMiddleware

Context = ServerRequestContext[Any, Any]
Answer = Callable[[Any], Awaitable[Any]]


def through(
    middleware: CallMiddleware, method: str, answer: Answer
) -> Callable[[Context, Any], Awaitable[Any]]:
    """Return a handler of the SDK that passes the middleware once."""

    async def handle(_ctx: Context, params: Any) -> Any:
        mark_interior_dispatched()
        context = MiddlewareContext(message=params, method=method)
        return await middleware(context, lambda given: answer(given.message))

    return handle
