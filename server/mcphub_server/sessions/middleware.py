"""The pipeline's layer for sessions: each endpoint's requests go to its sessions."""

from starlette.types import ASGIApp, Receive, Scope, Send

from mcphub_server.sessions.services import SessionServices
from mcphub_server.sessions.sse import SseSessions
from mcphub_server.sessions.streamable import StreamableSessions
from mcphub_server.web.paths import Endpoint
from mcphub_server.web.request import Exchange


class SessionMiddleware:
    """Brings each request of a session to the replica that owns the session."""

    def __init__(self, app: ASGIApp, services: SessionServices) -> None:
        self._app = app
        self._stateful = services.stateful
        self._sse = SseSessions(app, services)
        self._streamable = StreamableSessions(app, services)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        exchange = Exchange(scope, receive, send)
        match exchange.request.endpoint, exchange.request.method:
            case Endpoint.SSE, "GET":
                await self._sse.open_stream(exchange)
            case Endpoint.MESSAGES, "POST":
                await self._sse.post(exchange)
            case Endpoint.HTTP, _ if self._stateful:
                await self._streamable.serve(exchange)
            case _:
                await exchange.pass_to(self._app)
