"""The ASGI layers that send each request of a session to where the session lives.

`SessionLayer` stands between authentication and the MCP transports: it sees who is
calling and which session is meant, and decides who answers. `TicketGate` stands
before authentication: a request that another replica hands over carries a ticket in
place of credentials, and goes past the door.
"""

from collections.abc import Callable
from dataclasses import replace

from starlette.types import ASGIApp, Receive, Scope, Send

from mcphub_server.middleware.authentication import name_principal
from mcphub_server.middleware.client import current_client, enter_client
from mcphub_server.sessions.asgi import find_header, replace_header, send_response
from mcphub_server.sessions.handover import (
    HANDED_OVER,
    TICKET_HEADER,
    NotOwner,
    describe_target,
    send_not_owner,
)
from mcphub_server.sessions.membership import GREETED_STATUS, GREETING_HEADER
from mcphub_server.sessions.metrics import Outcome
from mcphub_server.sessions.parts import SessionParts
from mcphub_server.sessions.principal import build_token, enter_scope
from mcphub_server.sessions.resumption import Resumption
from mcphub_server.sessions.sse import SseSessions
from mcphub_server.sessions.streamable import StreamableSessions
from mcphub_server.sessions.ticket import Ticket

SSE_PATH = "/sse/"
MESSAGES_PATH = "/messages/"
HTTP_PATH = "/mcp/"


def build_session_app(
    transports: ASGIApp,
    parts: SessionParts,
    authenticate: Callable[[ASGIApp], ASGIApp],
) -> ASGIApp:
    """Put the layers around the transports, with authentication in between."""
    layer = Resumption(SessionLayer(transports, parts), parts)
    return TicketGate(authenticate(layer), layer, parts)


class TicketGate:
    """Lets in what another replica hands over; all else goes to the door."""

    def __init__(self, door: ASGIApp, inside: ASGIApp, parts: SessionParts) -> None:
        self._door = door
        self._inside = inside
        self._signatures = parts.signatures
        self._membership = parts.membership
        self._metrics = parts.metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self._door(scope, receive, send)
            return
        greeting = find_header(scope["headers"], GREETING_HEADER)
        text = find_header(scope["headers"], TICKET_HEADER)
        if greeting is not None:
            await self._return_greeting(greeting, send)
            return
        if text is None:
            await self._door(scope, receive, send)
            return
        ticket = await self._signatures.find_ticket(text, describe_target(scope))
        if ticket is None or ticket.owner_uid != self._signatures.identity.uid:
            self._metrics.count(Outcome.REFUSED)
            await send_not_owner(send, NotOwner.ANOTHER)
            return
        await self._inside(accept(ticket, scope), receive, send)

    async def _return_greeting(self, greeting: str, send: Send) -> None:
        if not await self._membership.hear(greeting):
            self._metrics.count(Outcome.REFUSED)
            await send_not_owner(send, NotOwner.ANOTHER)
            return
        answer = (GREETING_HEADER, self._membership.build_greeting().encode())
        await send_response(send, GREETED_STATUS, b"", [answer])


def accept(ticket: Ticket, scope: Scope) -> Scope:
    """Return the scope of a request as if its client had come here by itself."""
    client = replace(current_client(), address=ticket.client)
    if ticket.principal is not None:
        client = replace(
            client, principal=name_principal(build_token(ticket.principal))
        )
    enter_client(client)
    headers = replace_header(scope["headers"], TICKET_HEADER, None)
    scope = {**scope, "headers": headers, HANDED_OVER: True}
    return enter_scope(scope, ticket.principal)


class SessionLayer:
    """Sends each request of a session to where the session lives."""

    def __init__(self, app: ASGIApp, parts: SessionParts) -> None:
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
