"""`/sse` and `/messages/` on any replica.

A stream lives where it was opened. The address for messages that the client learns
from it carries a signed id, so that a message that arrives at another replica finds
its way. A stream cannot be taken over: when its owner dies, so does it, and the
client opens another one, often without a second `initialize`.
"""

import re
from urllib.parse import parse_qsl

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from mcphub_server.sessions.forwarding.protocol import (
    ForwardRequest,
    ForwardResult,
    Owner,
    is_forwarded,
)
from mcphub_server.sessions.handshake import INITIALIZED, lacks_handshake
from mcphub_server.sessions.metrics import SessionOutcome
from mcphub_server.sessions.services import SessionServices
from mcphub_server.sessions.tokens.principal import find_principal
from mcphub_server.sessions.tokens.session_id import SessionId, Transport
from mcphub_server.sessions.tokens.signer import NewSession, TokenSigner, enter_session
from mcphub_server.traffic.streams import STREAM, Stream
from mcphub_server.web.asgi import (
    TOO_LARGE,
    call_app,
    read_body,
    rewind,
    send_error,
    send_response,
)
from mcphub_server.web.jsonrpc import find_request
from mcphub_server.web.sse import EVENT_END

RETRY_MILLISECONDS = 50
"""How soon a client comes back to a stream that closed; inside the `endpoint` event,
because a block of `retry:` alone kills the Go client. Calls made in between fail."""

SDK_ID = re.compile(rb"session_id=([0-9a-f]{32})")
LONGEST_FIRST_EVENT = 8192
ACCEPTED = 202
TOO_MANY = 429
OVERDRAWN = "Too many requests of this session wait for their answers"


class SseSessions:
    """The sessions of the SSE transport."""

    def __init__(self, app: ASGIApp, parts: SessionServices) -> None:
        self._app = app
        self._signer = parts.signer
        self._peers = parts.peers
        self._metrics = parts.metrics
        self._streams: dict[bytes, Stream] = {}

    async def open_stream(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Open a stream here, and put a signed id into its first event."""
        endpoint = EndpointEvent(self._signer, scope)
        stream: Stream = scope.get(STREAM) or Stream()

        async def send_signed(message: Message) -> None:
            if message["type"] == "http.response.body" and not endpoint.is_done:
                message = {**message, "body": endpoint.sign(message.get("body", b""))}
                if endpoint.sdk_session_id:
                    self._streams[endpoint.sdk_session_id] = stream
            await send(message)

        try:
            await self._app(scope, receive, send_signed)
        finally:
            self._streams.pop(endpoint.sdk_session_id, None)

    async def post(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Bring a message to the stream that it belongs to."""
        text = dict(parse_qsl(scope["query_string"].decode("latin-1"))).get(
            "session_id", ""
        )
        principal = find_principal(scope)
        session = await self._signer.find_session(text, Transport.SSE, principal)
        if session is None:
            self._metrics.count(SessionOutcome.REFUSED)
            await send_error(send, 404, "Could not find session")
            return
        is_ours = self._signer.owns(session)
        if not is_ours and is_forwarded(scope):
            await send_error(send, 404, "Could not find session")
            return
        body = await read_body(receive)
        if body is None:
            await send_error(send, TOO_LARGE, "Request body too large")
            return
        errand = ForwardRequest(scope, receive, send, body)
        await (self._post_here if is_ours else self._post_there)(session, errand)

    async def _post_here(self, session: SessionId, errand: ForwardRequest) -> None:
        self._metrics.count(SessionOutcome.LOCAL)
        enter_session(session)
        query = f"session_id={session.sdk_session_id.hex()}".encode()
        scope = {**errand.scope, "query_string": query}
        stream = self._streams.get(session.sdk_session_id)
        if stream is not None:
            if stream.fresh and lacks_handshake(errand.body):
                await call_app(self._app, scope, INITIALIZED)
            # From here until the message is noted nothing waits, so the stream cannot
            # end in between: its last event has an answer to each message noted.
            if stream.finished:
                await send_error(errand.send, 404, "Could not find session")
                return
            if stream.is_full and find_request(errand.body) is not None:
                await send_error(errand.send, TOO_MANY, OVERDRAWN)
                return
            if not stream.note_message(errand.body):
                await send_response(errand.send, ACCEPTED, b"", ())
                return
        send = errand.send if stream is None else forgetting(stream, errand)
        await self._app(scope, rewind(errand.body, errand.receive), send)

    async def _post_there(self, session: SessionId, errand: ForwardRequest) -> None:
        owner = Owner(session.owner, session.owner_uid)
        result = await self._peers.forward(errand, owner, is_patient=True)
        if result is ForwardResult.OWNER_GONE:
            self._metrics.count(SessionOutcome.OWNER_GONE)
            await send_error(errand.send, 404, "Could not find session")
        else:
            self._metrics.count(SessionOutcome.FORWARDED)


def forgetting(stream: Stream, errand: ForwardRequest) -> Send:
    """Return a `send` by which a stream does not owe what is refused."""

    async def send(message: Message) -> None:
        if message["type"] == "http.response.start" and message["status"] != ACCEPTED:
            stream.forget(find_request(errand.body))
        await errand.send(message)

    return send


class EndpointEvent:
    """The first event of a stream, rewritten once it is whole."""

    def __init__(self, signer: TokenSigner, scope: Scope) -> None:
        self._signer = signer
        self._principal = find_principal(scope)
        self._held = b""
        self.is_done = False
        self.sdk_session_id = b""

    def sign(self, chunk: bytes) -> bytes:
        """Return what to send of the bytes so far: nothing until the event is whole."""
        self._held += chunk
        if EVENT_END not in self._held and len(self._held) < LONGEST_FIRST_EVENT:
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
