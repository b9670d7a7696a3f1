"""The layer that lets responses survive a lost connection and a lost replica.

A response that is ready at once is sent as it is. One that takes longer becomes a
stream whose first event has a signed id. Whichever replica gets the client's resuming
GET follows the response where it is made, or makes it again. A replica that forwards a
request to the owner of its session buffers the response all the same, so an owner that
dies in the middle is replaced and the client does not notice.
"""

import asyncio
import secrets
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from http import HTTPStatus

from mcp_types.version import HANDSHAKE_PROTOCOL_VERSIONS
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from mcphub_server.sessions.metrics import ResumeOutcome
from mcphub_server.sessions.resumability.event_id import (
    EventId,
    pack_request,
    unpack_request,
)
from mcphub_server.sessions.resumability.response import BufferedResponse, Progress
from mcphub_server.sessions.router import OwnerRouter, Route
from mcphub_server.sessions.services import SessionServices
from mcphub_server.sessions.tokens.principal import digest_identity, find_principal
from mcphub_server.traffic.streams import STREAM, Stream
from mcphub_server.web.asgi import send_error
from mcphub_server.web.internal import build_internal_scope
from mcphub_server.web.paths import Endpoint
from mcphub_server.web.request import Exchange, MCPRequest

MOMENT_SECONDS = 0.1
"""What is ready by then is sent as plain JSON, which is cheap."""

RESUME_SECONDS = 3.5
"""How long a response waits for a client that lost its connection: two attempts."""

ATTEMPTS = 3
DISCONNECT = "http.disconnect"
MCP_HEADERS = b"mcp-"
KEPT = (b"host", b"origin", b"x-request-id")

RESUMABLE_SINCE = "2025-11-25"
NOT_RESUMED = frozenset({"initialize", "subscriptions/listen"})


@dataclass(slots=True)
class InFlightRequest:
    """A request whose response is being made.

    Attributes:
        exchange: The request, its body read, and the client's connection.
        response: What there is of the response.
        key: Names the response in event ids.
        event_id: The signed id, if a client has it already.
        is_stream: The response is sent as a stream and can be resumed from now on.
        waits: A client that left may come back.
        left: Set when the client has left.
    """

    exchange: Exchange
    response: BufferedResponse
    key: bytes
    event_id: str = ""
    is_stream: bool = False
    waits: bool = True
    left: asyncio.Event = field(default_factory=asyncio.Event)


class ResumabilityMiddleware:
    """Answers requests to `/mcp` so that their responses can be resumed."""

    def __init__(self, app: ASGIApp, services: SessionServices) -> None:
        self._app = app
        self._signer = services.signer
        self._router = OwnerRouter(services.signer.identity.uid, services.forwarder)
        self._count = services.metrics.count_resumed
        self._resumes_modern = services.resumes_modern
        self._unread = services.state.unread
        self._responses: dict[bytes, BufferedResponse] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        exchange = Exchange(scope, receive, send)
        request = exchange.request
        if request.endpoint is not Endpoint.HTTP:
            await exchange.pass_to(self._app)
        elif request.method == "GET" and request.last_event_id is not None:
            await self._resume(request.last_event_id, exchange)
        elif request.method == "POST" and self._is_resumable(request):
            await self._serve_post(exchange)
        else:
            await exchange.pass_to(self._app)

    def _is_resumable(self, request: MCPRequest) -> bool:
        """Return whether the client understands an event that is only an id."""
        if request.is_forwarded or "text/event-stream" not in request.accept:
            return False
        if request.is_modern:
            return self._resumes_modern
        revision = request.revision
        return revision in HANDSHAKE_PROTOCOL_VERSIONS and revision >= RESUMABLE_SINCE

    async def _serve_post(self, exchange: Exchange) -> None:
        request = exchange.request
        await request.read_body(exchange.receive)
        request_id = request.message.request_id
        if request_id is None or request.message.method in NOT_RESUMED:
            await exchange.pass_to(self._app)
            return
        response, key = BufferedResponse(request_id), secrets.token_bytes(16)
        waits = not request.is_modern
        await self._answer(InFlightRequest(exchange, response, key, waits=waits))

    async def _answer(self, running: InFlightRequest) -> None:
        """Make a response, and send it whole if it is ready at once."""
        async with asyncio.TaskGroup() as group:

            def stream() -> None:
                if running.is_stream:
                    return
                running.is_stream = True
                self._responses[running.key] = running.response
                group.create_task(self._send_stream(running))

            if running.event_id:
                stream()
            timer = asyncio.get_running_loop().call_later(MOMENT_SECONDS, stream)
            try:
                await self._make(running, stream)
            finally:
                timer.cancel()
            if not running.is_stream:
                await running.response.send_whole(running.exchange.send)
        if running.is_stream:
            self._forget_soon(running)

    async def _make(self, running: InFlightRequest, stream: Callable[[], None]) -> None:
        """Make a response, again if the replica that makes it is lost."""
        response, scope = running.response, running.exchange.scope

        async def take(message: Message) -> None:
            await response.take(message)
            if response.has_more_than_answer:
                stream()

        for _ in range(ATTEMPTS):
            await self._app({**scope}, self._until_abandoned(running), take)
            if response.progress is Progress.COMPLETE or running.left.is_set():
                break
            response.restart()
        if response.progress is not Progress.COMPLETE:
            self._forget(running)  # a client that comes back has it made again
        response.give_up()

    def _until_abandoned(self, running: InFlightRequest) -> Receive:
        """Return a `receive` that reports a client only when it will not come back.

        Where the revision takes a closed connection for a cancellation, so does this.
        """

        async def receive_later() -> Message:
            while (message := await running.exchange.receive())["type"] != DISCONNECT:
                pass
            running.left.set()
            while running.is_stream and running.waits:
                await asyncio.sleep(RESUME_SECONDS)
                running.waits = running.response.listeners > 1
            return message

        return receive_later

    async def _send_stream(self, running: InFlightRequest) -> None:
        exchange = running.exchange
        event_id = running.event_id or self._sign(running)
        session = exchange.request.session_id
        await running.response.send_stream(exchange.send, event_id, session)

    def _forget_soon(self, running: InFlightRequest) -> None:
        """Keep a response for a moment if its client may have missed it."""
        if running.left.is_set():
            release = self._unread.hold(running.response.size)

            def forget() -> None:
                release()
                self._forget(running)

            asyncio.get_running_loop().call_later(RESUME_SECONDS, forget)
        else:
            self._forget(running)

    def _forget(self, running: InFlightRequest) -> None:
        """Drop a response, unless it is being made again under the same key."""
        if self._responses.get(running.key) is running.response:
            del self._responses[running.key]

    def _sign(self, running: InFlightRequest) -> str:
        scope = running.exchange.scope
        identity = self._signer.identity
        event_id = EventId(
            owner_address=str(identity.address),
            owner_uid=identity.uid,
            key=running.key,
            request=running.response.request,
            principal=digest_identity(find_principal(scope)),
            issued_at=self._signer.now(),
            headers=tuple(
                pair for pair in scope["headers"] if pair[0].startswith(MCP_HEADERS)
            ),
            body=pack_request(running.exchange.request.body or b""),
        )
        return self._signer.sign_event_id(event_id)

    async def _resume(self, text: str, exchange: Exchange) -> None:
        """Send a response from its beginning, wherever it is made."""
        event = await self._signer.find_event_id(text)
        caller = digest_identity(find_principal(exchange.scope))
        if event is None or event.principal != caller:
            self._count(ResumeOutcome.REFUSED)
            await send_error(exchange.send, HTTPStatus.NOT_FOUND, "Event not found")
            return
        stream: Stream | None = exchange.scope.get(STREAM)
        if stream is not None:
            stream.pending.add(event.request)
        route = await self._router.route(exchange, event.owner)
        if route is Route.FORWARD:
            self._count(ResumeOutcome.FORWARDED)
        else:
            await self._resume_here(event, text, exchange)

    async def _resume_here(self, event: EventId, text: str, exchange: Exchange) -> None:
        """Follow a response that is made here, or make it again."""
        response = self._responses.get(event.key)
        body = unpack_request(event.body)
        if response is None and body:
            self._count(ResumeOutcome.REPEATED)
            scope = build_internal_scope(
                exchange.scope, KEPT, list(event.headers), body
            )
            again = replace(exchange, scope=scope)
            response = BufferedResponse(event.request)
            await self._answer(InFlightRequest(again, response, event.key, text))
            return
        if response is None:
            self._count(ResumeOutcome.LOST)
            response = BufferedResponse(event.request)
            response.give_up()
        else:
            self._count(ResumeOutcome.FOLLOWED)
        session = exchange.request.session_id
        await response.send_stream(exchange.send, text, session)
