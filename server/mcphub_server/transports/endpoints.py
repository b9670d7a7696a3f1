"""The MCP endpoints: `/mcp`, `/sse` with `/messages/`, and what surrounds them.

FastMCP's own applications are made for one transport each, with an authentication of
their own; this puts the same parts (the SDK's session manager and SSE transport) under
one door. Health answers without a login; everything unknown is 404, `/.well-known/*`
above all, because clients take any other answer there for an OAuth server.
"""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from typing import Any

from fastmcp import FastMCP
from fastmcp.server.context import reset_transport, set_transport
from fastmcp.server.http import FastMCPStreamableHTTPSessionManager, set_http_request
from mcp.server.sse import SseServerTransport
from mcp.server.transport_security import TransportSecuritySettings
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Router
from starlette.types import ASGIApp, Receive, Scope, Send

from mcphub_server.config.hub import SessionMode, TransportsConfig
from mcphub_server.management.endpoints import build_health_routes
from mcphub_server.traffic.state import ServerState
from mcphub_server.transports.response_mode import ReplyManager
from mcphub_server.web.disconnects import cancel_when_gone

HTTP_PATH = "/mcp"
SSE_PATH = "/sse"
MESSAGES_PATH = "/messages/"

# the Host guard of this server is stricter and knows the hub's names
NO_SECOND_GUARD = TransportSecuritySettings(enable_dns_rebinding_protection=False)


@dataclass(frozen=True, slots=True)
class Transports:
    """The endpoints as one application, and the task group behind them."""

    app: ASGIApp
    manager: FastMCPStreamableHTTPSessionManager
    state: ServerState

    def run(self) -> AbstractAsyncContextManager[None]:
        """Start what serves `/mcp`, and the MCP server's own lifespan."""
        return self.manager.run()

    def route(self, guarded: ASGIApp) -> ASGIApp:
        """Put health, the guarded endpoints and 404 beside one another."""
        return PathRouter(guarded, Router(routes=build_health_routes(self.state)))


def build_transports(
    mcp: FastMCP,
    config: TransportsConfig,
    state: ServerState,
    returns_result_only: Callable[[str], bool],
) -> Transports:
    """Make the endpoints that are enabled.

    `returns_result_only` tells of a tool whether it sends nothing but its result.
    """
    stateless = config.streamable_http.sessions is SessionMode.STATELESS
    manager = ReplyManager(
        returns_result_only,
        app=mcp._mcp_server,  # noqa: SLF001 -- as FastMCP's own http_app does
        stateless=stateless,
        security_settings=NO_SECOND_GUARD,
    )
    state.count_sessions = manager.count_sessions
    sse = SseServerTransport(MESSAGES_PATH, NO_SECOND_GUARD)
    app = Endpoints(mcp, manager, sse if config.sse.enabled else None)
    return Transports(app, manager, state)


class Endpoints:
    """Sends each request to its transport, and tells FastMCP about it."""

    def __init__(
        self,
        mcp: FastMCP,
        manager: FastMCPStreamableHTTPSessionManager,
        sse: SseServerTransport | None,
    ) -> None:
        self._server = mcp._mcp_server  # noqa: SLF001 -- as FastMCP's own http_app does
        self._manager = manager
        self._sse = sse

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        path = scope["path"]
        with set_http_request(Request(scope)):
            if path.rstrip("/") == HTTP_PATH:
                async with transport_named("streamable-http"):
                    await self._serve_http(scope, receive, send)
            elif self._sse is not None and path.rstrip("/") == SSE_PATH:
                async with transport_named("sse"):
                    await self._serve_sse(self._sse, scope, receive, send)
            elif self._sse is not None and path.rstrip("/") + "/" == MESSAGES_PATH:
                async with transport_named("sse"):
                    await self._sse.handle_post_message(scope, receive, send)
            else:
                await NOT_FOUND(scope, receive, send)

    async def _serve_http(self, scope: Scope, receive: Receive, send: Send) -> None:
        allowed = ["POST", "DELETE"]
        if not self._manager.stateless:
            allowed.append("GET")
        if scope["method"] not in allowed:
            await refuse_method(allowed)(scope, receive, send)
            return
        await cancel_when_gone(self._manager.handle_request, scope, receive, send)

    async def _serve_sse(
        self, sse: SseServerTransport, scope: Scope, receive: Receive, send: Send
    ) -> None:
        if scope["method"] != "GET":
            await refuse_method(["GET"])(scope, receive, send)
            return
        options: Any = self._server.create_initialization_options()
        async with sse.connect_sse(scope, receive, send) as (incoming, outgoing):
            await self._server.run(incoming, outgoing, options)


class PathRouter:
    """Health without a login, the endpoints behind the door, nothing else."""

    def __init__(self, guarded: ASGIApp, health: ASGIApp) -> None:
        self._guarded = guarded
        self._health = health

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        path = scope["path"]
        if path.rstrip("/") + "/" in ENDPOINT_PATHS:
            await self._guarded(scope, receive, send)
        elif path.startswith("/health"):
            await self._health(scope, receive, send)
        else:
            await NOT_FOUND(scope, receive, send)


ENDPOINT_PATHS = frozenset({f"{HTTP_PATH}/", f"{SSE_PATH}/", MESSAGES_PATH})
NOT_FOUND = Response("Not found.\n", 404, media_type="text/plain")


def refuse_method(allowed: list[str]) -> Response:
    """Make the 405 that names what would be allowed."""
    return Response(status_code=405, headers={"allow": ", ".join(allowed)})


@asynccontextmanager
async def transport_named(name: str) -> AsyncIterator[None]:
    """Tell FastMCP's context which transport a request came by."""
    token = set_transport(name)  # type: ignore[arg-type]
    try:
        yield
    finally:
        reset_transport(token)
