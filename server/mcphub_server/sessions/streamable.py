"""Stateful `/mcp` on any replica.

A session that began here is found by its id. One that began elsewhere is answered by
its owner, or, the owner being gone, taken over: an internal `initialize` from what
the id says makes a session of the SDK's own, and the client never learns of it. A
404 would end it for good: Python and TypeScript clients do not begin anew.
"""

import asyncio

from mcp_types.version import MODERN_PROTOCOL_VERSIONS
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from mcphub_server.sessions.forwarding.protocol import (
    ForwardRequest,
    ForwardResult,
    Misdirected,
    Owner,
    is_forwarded,
    send_misdirected,
)
from mcphub_server.sessions.handshake import (
    INITIALIZED,
    build_initialize,
    parse_initialize,
)
from mcphub_server.sessions.metrics import SessionOutcome
from mcphub_server.sessions.services import SessionServices
from mcphub_server.sessions.tokens.principal import find_principal
from mcphub_server.sessions.tokens.session_id import SessionId, Transport
from mcphub_server.sessions.tokens.signer import NewSession, enter_session
from mcphub_server.web.asgi import (
    TOO_LARGE,
    call_app,
    find_header,
    read_body,
    replace_header,
    rewind,
    send_error,
)
from mcphub_server.web.headers import REVISION_HEADER, SESSION_HEADER
from mcphub_server.web.jsonrpc import CANCELLED_METHOD, find_method

NOT_FOUND = "Session not found"
MOST_REMEMBERED = 20_000
OK_STATUS = 200
UNKNOWN_STATUS = 404


class StreamableSessions:
    """The sessions of streamable HTTP."""

    def __init__(self, app: ASGIApp, parts: SessionServices) -> None:
        self._app = app
        self._signer = parts.signer
        self._peers = parts.peers
        self._metrics = parts.metrics
        self._state = parts.state
        self._adopted: dict[bytes, str] = {}
        self._ended: dict[bytes, None] = {}
        self._adopting = asyncio.Lock()

    async def serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, with or without a session."""
        body = await read_body(receive)
        if body is None:
            await send_error(send, TOO_LARGE, "Request body too large")
            return
        errand = ForwardRequest(scope, receive, send, body)
        text = find_header(scope["headers"], SESSION_HEADER)
        revision = find_header(scope["headers"], REVISION_HEADER)
        if revision in MODERN_PROTOCOL_VERSIONS:
            await self._app(scope, rewind(body, receive), send)
        elif text is None:
            await self._begin(errand)
        else:
            principal = find_principal(scope)
            session = await self._signer.find_session(text, Transport.HTTP, principal)
            if session is None or session.sdk_session_id in self._ended:
                self._metrics.count(SessionOutcome.REFUSED)
                await send_error(send, 404, NOT_FOUND)
                return
            await self._continue(session, text, errand)

    async def _begin(self, errand: ForwardRequest) -> None:
        principal = find_principal(errand.scope)

        async def send_signed(message: Message) -> None:
            sdk_id = None
            if message["type"] == "http.response.start":
                sdk_id = find_header(message.get("headers", ()), SESSION_HEADER)
            if sdk_id is not None:
                revision, capabilities = parse_initialize(errand.body)
                sdk_session_id = bytes.fromhex(sdk_id)
                beginning = NewSession(
                    Transport.HTTP, sdk_session_id, principal, revision, capabilities
                )
                text = self._signer.sign_session(beginning)
                message = with_session(message, text)
            await errand.send(message)

        receive = rewind(errand.body, errand.receive)
        await self._app(errand.scope, receive, send_signed)

    async def _continue(
        self, session: SessionId, text: str, errand: ForwardRequest
    ) -> None:
        enter_session(session)
        if is_forwarded(errand.scope):
            if self._state.draining and begins_work(errand):
                await send_misdirected(errand.send, Misdirected.DRAINING)
                return
            result = ForwardResult.OWNER_GONE
        elif self._is_answered_here(session, errand):
            self._metrics.count(SessionOutcome.LOCAL)
            result = ForwardResult.OWNER_GONE
        else:
            result = await self._forward(session, errand)
        if result in {ForwardResult.OWNER_GONE, ForwardResult.OWNER_DRAINS}:
            await self._serve_here(session, text, errand)

    def _is_answered_here(self, session: SessionId, errand: ForwardRequest) -> bool:
        """Say whether to ask nobody else.

        Of an adopted session, answers and cancellations still concern calls that the
        first owner may be running.
        """
        if self._signer.owns(session):
            return True
        return session.sdk_session_id in self._adopted and begins_work(errand)

    async def _forward(
        self, session: SessionId, errand: ForwardRequest
    ) -> ForwardResult:
        result = await self._peers.forward(
            errand, Owner(session.owner, session.owner_uid)
        )
        gone = result is ForwardResult.OWNER_GONE
        self._metrics.count(
            SessionOutcome.OWNER_GONE if gone else SessionOutcome.FORWARDED
        )
        return result

    async def _serve_here(
        self, session: SessionId, text: str, errand: ForwardRequest
    ) -> None:
        """Answer with the SDK's session; adopt when the SDK knows none."""
        sdk_id = self._adopted.get(session.sdk_session_id)
        if sdk_id is None and self._signer.owns(session):
            sdk_id = session.sdk_session_id.hex()
        if sdk_id is not None and await self._try(sdk_id, session, text, errand):
            return
        fresh = await self._adopt(session, sdk_id, errand.scope)
        if fresh is None or not await self._try(fresh, session, text, errand):
            await send_error(errand.send, 404, NOT_FOUND)

    async def _try(
        self, sdk_id: str, session: SessionId, text: str, errand: ForwardRequest
    ) -> bool:
        """Let the SDK answer; False, and nothing sent, if it knows no such session."""
        unknown = False

        async def send_signed(message: Message) -> None:
            nonlocal unknown
            if message["type"] == "http.response.start":
                unknown = message["status"] == UNKNOWN_STATUS
                message = with_session(message, text)
            if not unknown:
                await errand.send(message)

        headers = replace_header(errand.scope["headers"], SESSION_HEADER, sdk_id)
        scope = {**errand.scope, "headers": headers}
        receive = rewind(errand.body, errand.receive)
        await self._app(scope, receive, send_signed)
        if errand.scope["method"] == "DELETE" and not unknown:
            self._forget(session)
        return not unknown

    def _forget(self, session: SessionId) -> None:
        """Remember that the client ended the session: it must not come back."""
        self._adopted.pop(session.sdk_session_id, None)
        self._ended[session.sdk_session_id] = None
        while len(self._ended) > MOST_REMEMBERED:
            self._ended.pop(next(iter(self._ended)))

    async def _adopt(
        self, session: SessionId, stale: str | None, scope: Scope
    ) -> str | None:
        """Begin the session anew; None if the SDK would not."""
        async with self._adopting:
            known = self._adopted.get(session.sdk_session_id)
            if known is not None and known != stale:
                return known
            sdk_id = await self._initialize(session, scope)
            if sdk_id is not None:
                self._metrics.count(SessionOutcome.ADOPTED)
                self._adopted.pop(session.sdk_session_id, None)
                self._adopted[session.sdk_session_id] = sdk_id
            while len(self._adopted) > MOST_REMEMBERED:
                self._adopted.pop(next(iter(self._adopted)))
            return sdk_id

    async def _initialize(self, session: SessionId, scope: Scope) -> str | None:
        request = build_internal_scope(scope, None)
        opening = build_initialize(session.revision, session.capabilities)
        answer = await call_app(self._app, request, opening)
        sdk_id = find_header(answer.headers, SESSION_HEADER)
        if answer.status == OK_STATUS and sdk_id is not None:
            confirm = build_internal_scope(scope, sdk_id)
            await call_app(self._app, confirm, INITIALIZED)
            return sdk_id
        return None


def begins_work(errand: ForwardRequest) -> bool:
    """Tell new work from messages about work that goes on elsewhere."""
    if errand.scope["method"] != "POST":
        return True
    return find_method(errand.body) not in {"", CANCELLED_METHOD}


def with_session(start: Message, text: str) -> Message:
    """Return a response's start with the id that the client knows."""
    headers = start.get("headers", ())
    if find_header(headers, SESSION_HEADER) is None:
        return start
    return {**start, "headers": replace_header(headers, SESSION_HEADER, text)}


def build_internal_scope(scope: Scope, sdk_id: str | None) -> Scope:
    """Return the scope of a request of our own, in the caller's name."""
    kept = (b"host", b"authorization", b"origin")
    headers = [pair for pair in scope["headers"] if pair[0].lower() in kept]
    headers += [
        (b"content-type", b"application/json"),
        (b"accept", b"application/json, text/event-stream"),
    ]
    if sdk_id is not None:
        headers.append((SESSION_HEADER, sdk_id.encode()))
    return {**scope, "method": "POST", "query_string": b"", "headers": headers}
