"""The MCP endpoints: `/mcp`, and `/sse` with `/messages/`.

Each of FastMCP's own applications serves one transport and brings its own
authentication. This puts the same parts (the SDK's session manager and SSE transport)
behind one pipeline.
"""

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from typing import Any, Protocol

from fastmcp import FastMCP
from fastmcp.server.context import reset_transport, set_transport
from fastmcp.server.http import set_http_request
from mcp.server.sse import SseServerTransport
from mcp.server.transport_security import TransportSecuritySettings
from mcp_types import CallToolRequestParams
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from mcphub_server.config.hub import TransportsConfig
from mcphub_server.traffic.state import ServerState
from mcphub_server.transports.direct import DirectCalls
from mcphub_server.transports.response_mode import (
    PerRequestSessionManager,
    install_transport,
)
from mcphub_server.transports.websockets import WebSockets
from mcphub_server.web.disconnects import cancel_when_gone
from mcphub_server.web.paths import NOT_FOUND, Endpoint
from mcphub_server.web.request import get_request

# the Host guard of this server is stricter and knows the hub's names
NO_SECOND_GUARD = TransportSecuritySettings(enable_dns_rebinding_protection=False)


class OwnTools(Protocol):
    """The hub's own tools."""

    def is_own(self, name: str) -> bool:
        """Return whether a tool is one that the current caller may use."""
        ...

    async def answer(
        self, params: CallToolRequestParams, revision: str
    ) -> dict[str, Any] | None:
        """Answer a call in a revision; None if it is not an own tool's."""
        ...


@dataclass(frozen=True, slots=True)
class Transports:
    """The endpoints as one application, and what is behind them.

    Attributes:
        app: Answers requests of HTTP.
        websockets: Serves WebSockets, if the hub offers them.
    """

    mcp: FastMCP
    app: ASGIApp
    websockets: ASGIApp | None
    manager: PerRequestSessionManager

    def run(self) -> AbstractAsyncContextManager[None]:
        """Start what serves `/mcp`, and the MCP server's own lifespan."""
        return self.manager.run()


def build_transports(
    mcp: FastMCP,
    config: TransportsConfig,
    state: ServerState,
    own_tools: OwnTools,
) -> Transports:
    """Make the endpoints that are enabled.

    Args:
        mcp: The server behind them.
        config: Which of them the hub offers.
        state: Learns to count the sessions.
        own_tools: The hub's own, which send nothing before their result.
    """
    install_transport()
    manager = PerRequestSessionManager(
        own_tools.is_own,
        app=mcp._mcp_server,  # noqa: SLF001 -- as FastMCP's own http_app does
        stateless=not config.is_stateful,
        security_settings=NO_SECOND_GUARD,
    )
    state.count_sessions = manager.count_sessions
    sse = SseServerTransport(f"{Endpoint.MESSAGES}/", NO_SECOND_GUARD)
    endpoints = Endpoints(mcp, manager, sse if config.sse.enabled else None)
    app = DirectCalls(endpoints, own_tools.answer, is_stateful=config.is_stateful)
    websockets = WebSockets(mcp._mcp_server)  # noqa: SLF001 -- as above
    offered = websockets if config.web_socket.enabled else None
    return Transports(mcp, app, offered, manager)


class Endpoints:
    """Sends each request to its transport, with the body that a layer may have read."""

    def __init__(
        self,
        mcp: FastMCP,
        manager: PerRequestSessionManager,
        sse: SseServerTransport | None,
    ) -> None:
        self._server = mcp._mcp_server  # noqa: SLF001 -- as FastMCP's own http_app does
        self._manager = manager
        self._sse = sse

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = get_request(scope)
        if request.endpoint is Endpoint.HTTP:
            await request.read_body(receive)
        receive = request.replay(receive)
        with set_http_request(Request(scope)):
            if request.endpoint is Endpoint.HTTP:
                async with transport_named("streamable-http"):
                    await self._serve_http(scope, receive, send)
            elif self._sse is None:
                await NOT_FOUND(scope, receive, send)
            elif request.endpoint is Endpoint.SSE:
                async with transport_named("sse"):
                    await self._serve_sse(self._sse, scope, receive, send)
            else:
                async with transport_named("sse"):
                    await self._sse.handle_post_message(scope, receive, send)

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


def refuse_method(allowed: list[str]) -> Response:
    """Make the 405 that names the allowed methods."""
    return Response(status_code=405, headers={"allow": ", ".join(allowed)})


@asynccontextmanager
async def transport_named(name: str) -> AsyncIterator[None]:
    """Tell FastMCP's context by which transport a request came."""
    token = set_transport(name)  # type: ignore[arg-type]
    try:
        yield
    finally:
        reset_transport(token)
