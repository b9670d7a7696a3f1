"""Stateful `/mcp` on any replica.

The owner of a session answers its requests. When the owner is gone, the replica that
has the request adopts the session; see `adoption`.
"""

from dataclasses import replace
from http import HTTPStatus

from starlette.types import ASGIApp, Message

from mcphub_server.sessions.adoption import AdoptedSessions
from mcphub_server.sessions.forwarding.protocol import Misdirected, send_misdirected
from mcphub_server.sessions.handshake import parse_initialize
from mcphub_server.sessions.metrics import SessionOutcome
from mcphub_server.sessions.router import OwnerRouter, Route
from mcphub_server.sessions.services import SessionServices
from mcphub_server.sessions.tokens.principal import find_principal
from mcphub_server.sessions.tokens.session_id import SessionId, Transport
from mcphub_server.sessions.tokens.signer import NewSession, enter_session
from mcphub_server.web.asgi import (
    find_header,
    replace_header,
    send_error,
)
from mcphub_server.web.headers import SESSION_HEADER
from mcphub_server.web.jsonrpc import CANCELLED_METHOD
from mcphub_server.web.request import Exchange, MCPRequest

NOT_FOUND = "Session not found"


class StreamableSessions:
    """The sessions of streamable HTTP."""

    def __init__(self, app: ASGIApp, services: SessionServices) -> None:
        self._app = app
        self._signer = services.signer
        self._metrics = services.metrics
        self._state = services.state
        self._adopted = AdoptedSessions(app)
        self._router = OwnerRouter(
            services.signer.identity.uid, services.forwarder, services.metrics.count
        )

    async def serve(self, exchange: Exchange) -> None:
        """Answer one request, with or without a session."""
        request = exchange.request
        await request.read_body(exchange.receive)
        if request.is_modern:
            await exchange.pass_to(self._app)
        elif request.session_id is None:
            await self._begin(exchange)
        else:
            await self._continue(request.session_id, exchange)

    async def _begin(self, exchange: Exchange) -> None:
        """Open a session here; its client gets a signed id in place of the SDK's."""
        principal = find_principal(exchange.scope)

        async def send_signed(message: Message) -> None:
            sdk_id = find_session(message)
            if sdk_id is not None:
                revision, capabilities = parse_initialize(exchange.request.message)
                new = NewSession(
                    Transport.HTTP,
                    bytes.fromhex(sdk_id),
                    principal,
                    revision,
                    capabilities,
                )
                message = with_session(message, self._signer.sign_session(new))
            await exchange.send(message)

        await replace(exchange, send=send_signed).pass_to(self._app)

    async def _continue(self, text: str, exchange: Exchange) -> None:
        """Answer a request of a session, whichever replica owns it."""
        request = exchange.request
        session = await self._signer.find_session(
            text, Transport.HTTP, find_principal(exchange.scope)
        )
        if session is None or self._adopted.has_ended(session):
            self._metrics.count(SessionOutcome.REFUSED)
            await send_error(exchange.send, HTTPStatus.NOT_FOUND, NOT_FOUND)
            return
        enter_session(session)
        if request.is_forwarded and self._state.draining and begins_work(request):
            await send_misdirected(exchange.send, Misdirected.DRAINING)
            return
        # responses and cancellations may concern calls that the first owner still runs
        is_local = self._adopted.find(session) is not None and begins_work(request)
        route = await self._router.route(exchange, session.owner, is_local=is_local)
        if route is not Route.FORWARD:
            await self._serve_here(session, text, exchange)

    async def _serve_here(
        self, session: SessionId, text: str, exchange: Exchange
    ) -> None:
        """Answer with a session of the SDK; adopt the session if the SDK has none."""
        sdk_id = self._adopted.find(session)
        if sdk_id is None and self._signer.owns(session):
            sdk_id = session.sdk_session_id.hex()
        if sdk_id is not None and await self._try(sdk_id, session, text, exchange):
            return
        new_id, is_new = await self._adopted.adopt(session, sdk_id, exchange.scope)
        if is_new:
            self._metrics.count(SessionOutcome.ADOPTED)
        if new_id is None or not await self._try(new_id, session, text, exchange):
            await send_error(exchange.send, HTTPStatus.NOT_FOUND, NOT_FOUND)

    async def _try(
        self, sdk_id: str, session: SessionId, text: str, exchange: Exchange
    ) -> bool:
        """Let the SDK answer; False, and nothing sent, if it knows no such session."""
        is_unknown = False

        async def send_signed(message: Message) -> None:
            nonlocal is_unknown
            if message["type"] == "http.response.start":
                is_unknown = message["status"] == HTTPStatus.NOT_FOUND
                message = with_session(message, text)
            if not is_unknown:
                await exchange.send(message)

        headers = replace_header(exchange.scope["headers"], SESSION_HEADER, sdk_id)
        scope = {**exchange.scope, "headers": headers}
        await self._app(scope, exchange.receive, send_signed)
        if exchange.request.method == "DELETE" and not is_unknown:
            self._adopted.end(session)
        return not is_unknown


def begins_work(request: MCPRequest) -> bool:
    """Return whether a request is more than a message about work that runs already."""
    if request.method != "POST":
        return True
    return request.message.method not in {"", CANCELLED_METHOD}


def find_session(message: Message) -> str | None:
    """Return the session id of a response's start."""
    if message["type"] != "http.response.start":
        return None
    return find_header(message.get("headers", ()), SESSION_HEADER)


def with_session(start: Message, text: str) -> Message:
    """Return a response's start with the id that the client knows."""
    if find_session(start) is None:
        return start
    headers = replace_header(start["headers"], SESSION_HEADER, text)
    return {**start, "headers": headers}
