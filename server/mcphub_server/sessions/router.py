"""The ASGI layers that send each request of a session to where the session lives.

`SessionRouter` stands between authentication and the MCP transports: it sees who is
calling and which session is meant, and decides who answers. `PeerAuthMiddleware` stands
before authentication: a request that another replica hands over carries a ticket in
place of credentials, and goes past the door.
"""

from collections.abc import Callable
from dataclasses import replace

from starlette.types import ASGIApp, Receive, Scope, Send

from mcphub_server.auth.middleware import name_principal
from mcphub_server.sessions.forwarding.forward_token import ForwardToken
from mcphub_server.sessions.forwarding.protocol import (
    FORWARDED,
    Misdirected,
    describe_target,
    send_misdirected,
)
from mcphub_server.sessions.metrics import SessionOutcome
from mcphub_server.sessions.peers.announcements import (
    ANNOUNCED_STATUS,
)
from mcphub_server.sessions.resumability.middleware import ResumabilityMiddleware
from mcphub_server.sessions.services import SessionServices
from mcphub_server.sessions.sse import SseSessions
from mcphub_server.sessions.streamable import StreamableSessions
from mcphub_server.sessions.tokens.principal import build_token, enter_scope
from mcphub_server.web.asgi import find_header, replace_header, send_response
from mcphub_server.web.caller import current_client, enter_client
from mcphub_server.web.headers import ANNOUNCEMENT_HEADER, FORWARD_TOKEN_HEADER

SSE_PATH = "/sse/"
MESSAGES_PATH = "/messages/"
HTTP_PATH = "/mcp/"


def build_session_app(
    transports: ASGIApp,
    parts: SessionServices,
    authenticate: Callable[[ASGIApp], ASGIApp],
) -> ASGIApp:
    """Put the layers around the transports, with authentication in between."""
    layer = ResumabilityMiddleware(SessionRouter(transports, parts), parts)
    return PeerAuthMiddleware(authenticate(layer), layer, parts)


class PeerAuthMiddleware:
    """Lets in what another replica hands over; all else goes to the door."""

    def __init__(self, door: ASGIApp, inside: ASGIApp, parts: SessionServices) -> None:
        self._door = door
        self._inside = inside
        self._signer = parts.signer
        self._peer_set = parts.peer_set
        self._metrics = parts.metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self._door(scope, receive, send)
            return
        greeting = find_header(scope["headers"], ANNOUNCEMENT_HEADER)
        text = find_header(scope["headers"], FORWARD_TOKEN_HEADER)
        if greeting is not None:
            await self._return_greeting(greeting, send)
            return
        if text is None:
            await self._door(scope, receive, send)
            return
        ticket = await self._signer.find_forward_token(text, describe_target(scope))
        if ticket is None or ticket.owner_uid != self._signer.identity.uid:
            self._metrics.count(SessionOutcome.REFUSED)
            await send_misdirected(send, Misdirected.ANOTHER)
            return
        await self._inside(accept(ticket, scope), receive, send)

    async def _return_greeting(self, greeting: str, send: Send) -> None:
        if not await self._peer_set.hear(greeting):
            self._metrics.count(SessionOutcome.REFUSED)
            await send_misdirected(send, Misdirected.ANOTHER)
            return
        answer = (ANNOUNCEMENT_HEADER, self._peer_set.build_announcement().encode())
        await send_response(send, ANNOUNCED_STATUS, b"", [answer])


def accept(ticket: ForwardToken, scope: Scope) -> Scope:
    """Return the scope of a request as if its client had come here by itself."""
    client = replace(current_client(), address=ticket.client)
    if ticket.principal is not None:
        client = replace(
            client, principal=name_principal(build_token(ticket.principal))
        )
    enter_client(client)
    headers = replace_header(scope["headers"], FORWARD_TOKEN_HEADER, None)
    scope = {**scope, "headers": headers, FORWARDED: True}
    return enter_scope(scope, ticket.principal)


class SessionRouter:
    """Sends each request of a session to where the session lives."""

    def __init__(self, app: ASGIApp, parts: SessionServices) -> None:
        self._app = app
        self._stateful = parts.stateful
        self._sse = SseSessions(app, parts)
        self._streamable = StreamableSessions(app, parts)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        path = scope.get("path", "").rstrip("/") + "/"
        if path == SSE_PATH and scope["method"] == "GET":
            await self._sse.open_stream(scope, receive, send)
        elif path == MESSAGES_PATH and scope["method"] == "POST":
            await self._sse.post(scope, receive, send)
        elif path == HTTP_PATH and self._stateful:
            await self._streamable.serve(scope, receive, send)
        else:
            await self._app(scope, receive, send)
