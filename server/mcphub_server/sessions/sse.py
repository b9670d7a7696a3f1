"""`/sse` and `/messages/` on any replica.

A stream lives where it was opened. The address for messages that its first event
names carries a signed session id, so a message that arrives at another replica is
forwarded to the stream's owner. No other replica can take over a stream: when its
owner dies, the client opens another one, often without a second `initialize`.
"""

import re
from dataclasses import replace
from http import HTTPStatus
from urllib.parse import parse_qsl

from starlette.types import ASGIApp, Message, Scope, Send

from mcphub_server.sessions.handshake import INITIALIZED, lacks_handshake
from mcphub_server.sessions.metrics import SessionOutcome
from mcphub_server.sessions.router import OwnerRouter, Route
from mcphub_server.sessions.services import SessionServices
from mcphub_server.sessions.tokens.principal import find_principal
from mcphub_server.sessions.tokens.session_id import SessionId, Transport
from mcphub_server.sessions.tokens.signer import NewSession, TokenSigner, enter_session
from mcphub_server.traffic.connections import REPEATED
from mcphub_server.traffic.streams import STREAM, Stream, enter_stream
from mcphub_server.web.asgi import (
    send_error,
    send_response,
)
from mcphub_server.web.internal import call_app, with_body
from mcphub_server.web.request import Exchange
from mcphub_server.web.sse import EVENT_END

RETRY_MILLISECONDS = 50
"""How soon a client reopens a stream that closed; inside the `endpoint` event, because
an event of `retry:` alone kills the Go client. Calls made in between fail."""

SDK_ID = re.compile(rb"session_id=([0-9a-f]{32})")
LONGEST_FIRST_EVENT = 8192
NOT_FOUND = "Could not find session"
TOO_MANY = "Too many requests of this session wait for their answers"


class SseSessions:
    """The sessions of the SSE transport."""

    def __init__(self, app: ASGIApp, services: SessionServices) -> None:
        self._app = app
        self._signer = services.signer
        self._metrics = services.metrics
        self._router = OwnerRouter(
            services.signer.identity.uid, services.forwarder, services.metrics.count
        )
        self._streams: dict[bytes, Stream] = {}

    async def open_stream(self, exchange: Exchange) -> None:
        """Open a stream here, and put a signed id into its first event."""
        endpoint = EndpointEvent(self._signer, exchange.scope)
        stream: Stream = exchange.scope.get(STREAM) or Stream()

        async def send_signed(message: Message) -> None:
            if message["type"] == "http.response.body" and not endpoint.is_done:
                is_last = not message.get("more_body", False)  # a refusal, no stream
                body = endpoint.sign(message.get("body", b""), is_last=is_last)
                message = {**message, "body": body}
                if endpoint.sdk_session_id:
                    self._streams[endpoint.sdk_session_id] = stream
            await exchange.send(message)

        try:
            await replace(exchange, send=send_signed).pass_to(self._app)
        finally:
            self._streams.pop(endpoint.sdk_session_id, None)

    async def post(self, exchange: Exchange) -> None:
        """Bring a message to the stream that it belongs to."""
        query = dict(parse_qsl(exchange.scope["query_string"].decode("latin-1")))
        session = await self._signer.find_session(
            query.get("session_id", ""), Transport.SSE, find_principal(exchange.scope)
        )
        if session is None:
            self._metrics.count(SessionOutcome.REFUSED)
            await send_error(exchange.send, HTTPStatus.NOT_FOUND, NOT_FOUND)
            return
        await exchange.request.read_body(exchange.receive)
        match await self._router.route(exchange, session.owner, is_patient=True):
            case Route.LOCAL:
                await self._post_here(session, exchange)
            case Route.ADOPT:
                await send_error(exchange.send, HTTPStatus.NOT_FOUND, NOT_FOUND)

    async def _post_here(self, session: SessionId, exchange: Exchange) -> None:
        enter_session(session)
        query = f"session_id={session.sdk_session_id.hex()}".encode()
        exchange = replace(exchange, scope={**exchange.scope, "query_string": query})
        stream = self._streams.get(session.sdk_session_id)
        if stream is None:
            await exchange.pass_to(self._app)
        else:
            await self._post_to(stream, exchange)

    async def _post_to(self, stream: Stream, exchange: Exchange) -> None:
        message = exchange.request.message
        if stream.fresh and lacks_handshake(exchange.request.body or b""):
            await call_app(self._app, with_body(exchange.scope, INITIALIZED))
        # From here until the message is noted there is no await, so the stream cannot
        # end in between: its last event answers every message noted.
        if stream.finished:
            await send_error(exchange.send, HTTPStatus.NOT_FOUND, NOT_FOUND)
        elif message.request_id in stream.pending:  # one answer would be for both
            await send_error(exchange.send, HTTPStatus.BAD_REQUEST, REPEATED.text)
        elif stream.is_full and message.request_id is not None:
            await send_error(exchange.send, HTTPStatus.TOO_MANY_REQUESTS, TOO_MANY)
        elif stream.note_message(message):
            enter_stream(stream)
            send = forget_if_refused(stream, exchange)
            await replace(exchange, send=send).pass_to(self._app)
        else:
            await send_response(exchange.send, HTTPStatus.ACCEPTED, b"", ())


def forget_if_refused(stream: Stream, exchange: Exchange) -> Send:
    """Return a `send` by which a refused request is not pending on the stream."""

    async def send(message: Message) -> None:
        starts = message["type"] == "http.response.start"
        if starts and message["status"] != HTTPStatus.ACCEPTED:
            stream.forget(exchange.request.message.request_id)
        await exchange.send(message)

    return send


class EndpointEvent:
    """The first event of a stream, rewritten once it is whole."""

    def __init__(self, signer: TokenSigner, scope: Scope) -> None:
        self._signer = signer
        self._principal = find_principal(scope)
        self._held = b""
        self.is_done = False
        self.sdk_session_id = b""

    def sign(self, chunk: bytes, *, is_last: bool = False) -> bytes:
        """Return what to send of the bytes so far: nothing until the event is whole."""
        self._held += chunk
        is_whole = EVENT_END in self._held or is_last
        if not is_whole and len(self._held) < LONGEST_FIRST_EVENT:
            return b""
        self.is_done = True
        held, self._held = self._held, b""
        found = SDK_ID.search(held)
        if found is None:
            return held
        self.sdk_session_id = bytes.fromhex(found[1].decode())
        signed = self._signer.sign_session(
            NewSession(Transport.SSE, self.sdk_session_id, self._principal)
        )
        event = held[: found.start(1)] + signed.encode() + held[found.end(1) :]
        return f"retry: {RETRY_MILLISECONDS}\r\n".encode() + event
