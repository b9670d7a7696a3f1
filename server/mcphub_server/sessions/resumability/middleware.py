"""The layer that makes replies survive: a lost connection, and a lost replica.

A reply that is ready at once goes as it is. One that takes longer becomes a stream
whose first event names a receipt; whoever gets the client's resuming GET follows the
reply where it is being made, or has it made again. A replica that hands a request to
the owner of its session makes the reply here all the same, so an owner that dies in
the middle is replaced without the client's knowing.
"""

import asyncio
import secrets
from collections.abc import Callable
from dataclasses import dataclass, field

from mcp_types.version import HANDSHAKE_PROTOCOL_VERSIONS, MODERN_PROTOCOL_VERSIONS
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from mcphub_server.sessions.forwarding.protocol import (
    ForwardRequest,
    ForwardResult,
    Owner,
    is_forwarded,
)
from mcphub_server.sessions.resumability.event_id import (
    EventId,
    pack_request,
    unpack_request,
)
from mcphub_server.sessions.resumability.response import BufferedResponse, Progress
from mcphub_server.sessions.services import SessionServices
from mcphub_server.sessions.tokens.principal import digest_principal, find_principal
from mcphub_server.sessions.tokens.session_id import parse_address
from mcphub_server.traffic.streams import STREAM, Stream
from mcphub_server.web.asgi import (
    TOO_LARGE,
    find_header,
    read_body,
    rewind,
    send_error,
)
from mcphub_server.web.headers import LAST_EVENT_HEADER, REVISION_HEADER, SESSION_HEADER
from mcphub_server.web.jsonrpc import find_method, find_request

MOMENT_SECONDS = 0.1
"""What is ready by then goes as plain JSON, which is cheap."""

RESUME_SECONDS = 3.5
"""How long a reply waits for a client that lost its connection: two of its tries."""

ATTEMPTS = 3
NOT_FOUND = 404
PATH = "/mcp"
MCP_HEADERS = b"mcp-"

RESUMABLE_SINCE = "2025-11-25"
NOT_RESUMED = frozenset({"initialize", "subscriptions/listen"})


@dataclass(slots=True)
class InFlightRequest:
    """A request whose reply is being made.

    Attributes:
        key: Names the reply in receipts.
        event_id: The receipt, if there is one already, in a client's hands.
        committed: The reply goes as a stream; it can be resumed from now on.
        waits: A client that left may come back.
        left: Set when the client has left.
    """

    scope: Scope
    body: bytes
    reply: BufferedResponse
    key: bytes
    event_id: str = ""
    committed: bool = False
    waits: bool = True
    left: asyncio.Event = field(default_factory=asyncio.Event)


class ResumabilityMiddleware:
    """Answers requests to `/mcp` so that their replies can be resumed."""

    def __init__(self, app: ASGIApp, parts: SessionServices) -> None:
        self._app = app
        self._signer = parts.signer
        self._peers = parts.peers
        self._resumes_modern = parts.resumes_modern
        self._replies: dict[bytes, BufferedResponse] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http" or scope["path"].rstrip("/") != PATH:
            await self._app(scope, receive, send)
        elif scope["method"] == "GET":
            await self._serve_get(scope, receive, send)
        elif scope["method"] == "POST" and self._is_resumable(scope):
            await self._serve_post(scope, receive, send)
        else:
            await self._app(scope, receive, send)

    def _is_resumable(self, scope: Scope) -> bool:
        """Say whether the client understands an event that is only an id."""
        if is_forwarded(scope):
            return False
        accepted = find_header(scope["headers"], b"accept") or ""
        if "text/event-stream" not in accepted:
            return False
        revision = find_header(scope["headers"], REVISION_HEADER) or ""
        if revision in MODERN_PROTOCOL_VERSIONS:
            return self._resumes_modern
        return revision in HANDSHAKE_PROTOCOL_VERSIONS and revision >= RESUMABLE_SINCE

    async def _serve_post(self, scope: Scope, receive: Receive, send: Send) -> None:
        body = await read_body(receive)
        if body is None:
            await send_error(send, TOO_LARGE, "Request body too large")
            return
        request = find_request(body)
        if request is None or find_method(body) in NOT_RESUMED:
            await self._app(scope, rewind(body, receive), send)
            return
        making = InFlightRequest(
            scope, body, BufferedResponse(request), secrets.token_bytes(16)
        )
        revision = find_header(scope["headers"], REVISION_HEADER)
        making.waits = revision not in MODERN_PROTOCOL_VERSIONS
        await self._answer(making, receive, send)

    async def _answer(
        self, making: InFlightRequest, receive: Receive, send: Send
    ) -> None:
        """Make a reply, and send it whole if it is ready at once."""
        reply = making.reply
        async with asyncio.TaskGroup() as group:

            def commit() -> None:
                if making.committed:
                    return
                making.committed = True
                self._replies[making.key] = reply
                group.create_task(self._send_stream(making, send))

            if making.event_id:
                commit()
            timer = asyncio.get_running_loop().call_later(MOMENT_SECONDS, commit)
            try:
                await self._make(making, receive, commit)
            finally:
                timer.cancel()
            if not making.committed:
                await reply.send_whole(send)
        if making.committed:
            self._forget_soon(making)

    async def _make(
        self, making: InFlightRequest, receive: Receive, commit: Callable[[], None]
    ) -> None:
        """Have the reply made, again if who makes it is lost."""
        reply = making.reply

        async def take(message: Message) -> None:
            await reply.take(message)
            if reply.tells_first:
                commit()

        for _ in range(ATTEMPTS):
            incoming = rewind(making.body, self._until_abandoned(making, receive))
            await self._app({**making.scope}, incoming, take)
            if reply.progress is Progress.SETTLED or making.left.is_set():
                break
            reply.restart()
        if reply.progress is not Progress.SETTLED:
            self._forget(making)  # whoever comes back has it made again
        reply.give_up()

    def _until_abandoned(self, making: InFlightRequest, receive: Receive) -> Receive:
        """Return a `receive` that tells of a client only when it will not come back.

        Where the revision takes a closed connection for a cancellation, so do we.
        """

        async def receive_later() -> Message:
            while (message := await receive())["type"] != "http.disconnect":
                pass
            making.left.set()
            while making.committed and making.waits:
                await asyncio.sleep(RESUME_SECONDS)
                making.waits = making.reply.listeners > 1
            return message

        return receive_later

    async def _send_stream(self, making: InFlightRequest, send: Send) -> None:
        session = find_header(making.scope["headers"], SESSION_HEADER)
        event_id = making.event_id or self._sign(making)
        await making.reply.send_stream(send, event_id, session)

    def _forget_soon(self, making: InFlightRequest) -> None:
        """Keep a reply for a moment if its client may have missed it."""
        if making.left.is_set():
            loop = asyncio.get_running_loop()
            loop.call_later(RESUME_SECONDS, self._forget, making)
        else:
            self._forget(making)

    def _forget(self, making: InFlightRequest) -> None:
        """Drop a reply, unless it is being made again under the same name."""
        if self._replies.get(making.key) is making.reply:
            del self._replies[making.key]

    def _sign(self, making: InFlightRequest) -> str:
        headers = making.scope["headers"]
        identity = self._signer.identity
        receipt = EventId(
            str(identity.address),
            identity.uid,
            making.key,
            making.reply.request,
            digest_principal(find_principal(making.scope)),
            self._signer.now(),
            tuple(pair for pair in headers if pair[0].startswith(MCP_HEADERS)),
            pack_request(making.body),
        )
        return self._signer.sign_event_id(receipt)

    async def _serve_get(self, scope: Scope, receive: Receive, send: Send) -> None:
        event_id = find_header(scope["headers"], LAST_EVENT_HEADER)
        if event_id is None:
            await self._app(scope, receive, send)
            return
        receipt = await self._signer.find_event_id(event_id)
        caller = digest_principal(find_principal(scope))
        if receipt is None or receipt.principal != caller:
            await send_error(send, NOT_FOUND, "Event not found")
            return
        stream: Stream | None = scope.get(STREAM)
        if stream is not None:
            stream.pending.add(receipt.request)
        if not await self._follow_there(receipt, scope, receive, send):
            await self._follow_here(receipt, event_id, scope, receive, send)

    async def _follow_there(
        self, receipt: EventId, scope: Scope, receive: Receive, send: Send
    ) -> bool:
        """Let the replica that makes the reply send it; False if it cannot."""
        is_own = receipt.owner_uid == self._signer.identity.uid
        if is_own or is_forwarded(scope):
            return False
        owner = Owner(parse_address(receipt.owner), receipt.owner_uid)
        errand = ForwardRequest(scope, receive, send, b"")
        result = await self._peers.forward(errand, owner)
        return result in {ForwardResult.ANSWERED, ForwardResult.BROKEN}

    async def _follow_here(
        self,
        receipt: EventId,
        event_id: str,
        scope: Scope,
        receive: Receive,
        send: Send,
    ) -> None:
        """Follow a reply that is made here, or make it again."""
        session = find_header(scope["headers"], SESSION_HEADER)
        known = self._replies.get(receipt.key)
        if known is not None:
            await known.send_stream(send, event_id, session)
            return
        reply = BufferedResponse(receipt.request)
        body = unpack_request(receipt.body)
        if not body:
            reply.give_up()
            await reply.send_stream(send, event_id, session)
            return
        making = InFlightRequest(
            build_again(scope, receipt), body, reply, receipt.key, event_id
        )
        await self._answer(making, receive, send)


def build_again(scope: Scope, receipt: EventId) -> Scope:
    """Return the scope of a request that is made a second time."""
    kept = (b"host", b"origin", b"x-request-id")
    headers = [pair for pair in scope["headers"] if pair[0] in kept]
    headers += [
        (b"content-type", b"application/json"),
        (b"accept", b"application/json, text/event-stream"),
        *receipt.headers,
    ]
    return {**scope, "method": "POST", "query_string": b"", "headers": headers}
