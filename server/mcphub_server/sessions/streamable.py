"""Stateful `/mcp` on any replica.

A session that began here is found by its id. One that began elsewhere is answered by
its owner, or, the owner being gone, taken over: an internal `initialize` from what
the id says makes a session of the SDK's own, and the client never learns of it. A
404 would end it for good: Python and TypeScript clients do not begin anew.
"""

import asyncio

from mcp_types.version import MODERN_PROTOCOL_VERSIONS
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from mcphub_server.sessions.asgi import (
    TOO_LARGE,
    call_app,
    find_header,
    read_body,
    replace_header,
    rewind,
    send_error,
)
from mcphub_server.sessions.handover import (
    Errand,
    Handover,
    NotOwner,
    Owner,
    is_handed_over,
    send_not_owner,
)
from mcphub_server.sessions.handshake import (
    INITIALIZED,
    build_initialize,
    parse_initialize,
)
from mcphub_server.sessions.identity import Beginning, enter_session
from mcphub_server.sessions.messages import CANCELLED_METHOD, find_method
from mcphub_server.sessions.metrics import Outcome
from mcphub_server.sessions.parts import SessionParts
from mcphub_server.sessions.principal import find_principal
from mcphub_server.sessions.session_id import SessionId, Transport

SESSION_HEADER = b"mcp-session-id"
REVISION_HEADER = b"mcp-protocol-version"
NOT_FOUND = "Session not found"
MOST_REMEMBERED = 20_000
OK_STATUS = 200
UNKNOWN_STATUS = 404


class StreamableSessions:
    """The sessions of streamable HTTP."""

    def __init__(self, app: ASGIApp, parts: SessionParts) -> None:
        self._app = app
        self._signatures = parts.signatures
        self._peers = parts.peers
        self._metrics = parts.metrics
        self._traffic = parts.traffic
        self._adopted: dict[bytes, str] = {}
        self._ended: dict[bytes, None] = {}
        self._adopting = asyncio.Lock()

    async def serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, with or without a session."""
        body = await read_body(receive)
        if body is None:
            await send_error(send, TOO_LARGE, "Request body too large")
            return
        errand = Errand(scope, receive, send, body)
        text = find_header(scope["headers"], SESSION_HEADER)
        revision = find_header(scope["headers"], REVISION_HEADER)
        if revision in MODERN_PROTOCOL_VERSIONS:
            await self._app(scope, rewind(body, receive), send)
        elif text is None:
            await self._begin(errand)
        else:
            principal = find_principal(scope)
            session = await self._signatures.find_session(
                text, Transport.HTTP, principal
            )
            if session is None or session.nonce in self._ended:
                self._metrics.count(Outcome.REFUSED)
                await send_error(send, 404, NOT_FOUND)
                return
            await self._continue(session, text, errand)

    async def _begin(self, errand: Errand) -> None:
        principal = find_principal(errand.scope)

        async def send_signed(message: Message) -> None:
            sdk_id = None
            if message["type"] == "http.response.start":
                sdk_id = find_header(message.get("headers", ()), SESSION_HEADER)
            if sdk_id is not None:
                revision, capabilities = parse_initialize(errand.body)
                nonce = bytes.fromhex(sdk_id)
                beginning = Beginning(
                    Transport.HTTP, nonce, principal, revision, capabilities
                )
                text = self._signatures.sign_session(beginning)
                message = with_session(message, text)
            await errand.send(message)

        receive = rewind(errand.body, errand.receive)
        await self._app(errand.scope, receive, send_signed)

    async def _continue(self, session: SessionId, text: str, errand: Errand) -> None:
        enter_session(session)
        if is_handed_over(errand.scope):
            if self._traffic.draining and begins_work(errand):
                await send_not_owner(errand.send, NotOwner.DRAINING)
                return
            handover = Handover.OWNER_GONE
        elif self._is_answered_here(session, errand):
            self._metrics.count(Outcome.LOCAL)
            handover = Handover.OWNER_GONE
        else:
            handover = await self._hand_over(session, errand)
        if handover in {Handover.OWNER_GONE, Handover.OWNER_DRAINS}:
            await self._serve_here(session, text, errand)

    def _is_answered_here(self, session: SessionId, errand: Errand) -> bool:
        """Say whether to ask nobody else.

        Of an adopted session, answers and cancellations still concern calls that the
        first owner may be running.
        """
        if self._signatures.owns(session):
            return True
        return session.nonce in self._adopted and begins_work(errand)

    async def _hand_over(self, session: SessionId, errand: Errand) -> Handover:
        handover = await self._peers.hand_over(
            errand, Owner(session.owner, session.owner_uid)
        )
        gone = handover is Handover.OWNER_GONE
        self._metrics.count(Outcome.OWNER_GONE if gone else Outcome.FORWARDED)
        return handover

    async def _serve_here(self, session: SessionId, text: str, errand: Errand) -> None:
        """Answer with the SDK's session; adopt when the SDK knows none."""
        sdk_id = self._adopted.get(session.nonce)
        if sdk_id is None and self._signatures.owns(session):
            sdk_id = session.nonce.hex()
        if sdk_id is not None and await self._try(sdk_id, session, text, errand):
            return
        fresh = await self._adopt(session, sdk_id, errand.scope)
        if fresh is None or not await self._try(fresh, session, text, errand):
            await send_error(errand.send, 404, NOT_FOUND)

    async def _try(
        self, sdk_id: str, session: SessionId, text: str, errand: Errand
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
        self._adopted.pop(session.nonce, None)
        self._ended[session.nonce] = None
        while len(self._ended) > MOST_REMEMBERED:
            self._ended.pop(next(iter(self._ended)))

    async def _adopt(
        self, session: SessionId, stale: str | None, scope: Scope
    ) -> str | None:
        """Begin the session anew; None if the SDK would not."""
        async with self._adopting:
            known = self._adopted.get(session.nonce)
            if known is not None and known != stale:
                return known
            sdk_id = await self._initialize(session, scope)
            if sdk_id is not None:
                self._metrics.count(Outcome.ADOPTED)
                self._adopted.pop(session.nonce, None)
                self._adopted[session.nonce] = sdk_id
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


def begins_work(errand: Errand) -> bool:
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
