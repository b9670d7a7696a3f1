"""Forwards a request to the replica that owns its session, as a stream.

Bytes pass as they arrive, in both directions. Headers are forwarded, credentials are
not: a signed token names the caller. httpcore2 is the transport of the SDK's own HTTP
client and costs 0.5 ms of CPU a request here, the client above it 0.65; that it
neither follows redirects nor reads proxy settings is intended.
"""

import time
from collections.abc import Callable, Mapping
from types import TracebackType
from typing import Self

import anyio
import httpcore2
import structlog
from starlette.types import Send

from mcphub_server.sessions.forwarding.protocol import (
    NOT_RETURNED,
    NOT_SENT,
    ForwardResult,
    build_target,
    describe_target,
    find_refusal,
)
from mcphub_server.sessions.peers.dns import PeerLookup
from mcphub_server.sessions.tokens.principal import find_principal
from mcphub_server.sessions.tokens.session_id import Owner
from mcphub_server.sessions.tokens.signer import TokenSigner
from mcphub_server.spans import Kind, inject, open_span
from mcphub_server.tls.dialing import PLAIN, Dialing
from mcphub_server.web.asgi import Headers
from mcphub_server.web.caller import current_client
from mcphub_server.web.headers import FORWARD_TOKEN_HEADER, REQUEST_ID_HEADER
from mcphub_server.web.request import Exchange

TIMEOUTS: Mapping[str, float] = {"connect": 1.0, "read": 65.0, "write": 10.0}
"""Seconds. A stream has a ping every 15 s, and no response is silent for longer than
45 s, so 65 s without a byte mean a dead owner."""

PATIENT_CONNECT_SECONDS = 20.0
"""Where no other replica can answer: a busy owner must not be taken for a dead one,
and a replica short of CPU takes seconds to see that it is connected."""

GONE_SECONDS = 5.0
"""How long an owner that did not answer is not asked again."""

IDLE_SECONDS = 60.0
"""How long a connection is kept; the owner keeps it for 180 s."""

log = structlog.get_logger(__name__)


class Forwarder:
    """The connections to the other replicas.

    Streams have a pool of their own: for each request a pool looks at all of its
    connections, and a thousand open streams would slow every call.
    """

    def __init__(
        self,
        port: int,
        peers: PeerLookup,
        signer: TokenSigner,
        dialing: Dialing = PLAIN,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._port = port
        self._peers = peers
        self._signer = signer
        self._dialing = dialing
        self._clock = clock
        self._gone: dict[Owner, float] = {}
        self._calls = open_pool(dialing)
        self._streams = open_pool(dialing)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self._calls.aclose()
        await self._streams.aclose()

    async def forward(
        self, exchange: Exchange, owner: Owner, *, is_patient: bool = False
    ) -> ForwardResult:
        """Let the owner answer; never connects to an address that is no replica.

        Args:
            exchange: The request, its body read if it has one.
            owner: The replica that has to answer.
            is_patient: The request fails if this gives up too early.
        """
        if not is_patient and self._gone.get(owner, 0) > self._clock():
            return ForwardResult.OWNER_GONE
        if not await self._peers.includes(owner.address):
            return ForwardResult.OWNER_GONE
        connect = PATIENT_CONNECT_SECONDS if is_patient else TIMEOUTS["connect"]
        timeouts = {**TIMEOUTS, "connect": connect}
        with open_span(Kind.CLIENT, "forward") as span:
            request = self._build_request(exchange, owner, timeouts)
            result = await self._exchange(exchange, owner, request)
            if result is not ForwardResult.ANSWERED:
                span.fail(result.name.lower())
        if result is ForwardResult.OWNER_GONE:
            self._remember_gone(owner)
        return result

    def _remember_gone(self, owner: Owner) -> None:
        now = self._clock()
        self._gone = {one: until for one, until in self._gone.items() if until > now}
        self._gone[owner] = now + GONE_SECONDS

    async def _exchange(
        self, exchange: Exchange, owner: Owner, request: httpcore2.Request
    ) -> ForwardResult:
        result = ForwardResult.ANSWERED  # a client that left needs no response
        async with anyio.create_task_group() as group:

            async def watch_client() -> None:
                while (await exchange.receive())["type"] != "http.disconnect":
                    pass
                group.cancel_scope.cancel()

            group.start_soon(watch_client)
            result = await self._stream(exchange, owner, request)
            group.cancel_scope.cancel()
        return result

    async def _stream(
        self, exchange: Exchange, owner: Owner, request: httpcore2.Request
    ) -> ForwardResult:
        started = False
        pool = self._streams if exchange.scope["method"] == "GET" else self._calls
        try:
            response = await send_request(pool, request)
            try:
                refusal = find_refusal(response)
                if refusal is not None:
                    return refusal
                started = True
                await relay(response, exchange.send)
            finally:
                await response.aclose()
        except (
            httpcore2.NetworkError,
            httpcore2.ProtocolError,
            httpcore2.TimeoutException,
        ) as error:
            log.warning(
                "owner not reachable",
                address=str(owner.address),
                cause=type(error).__name__,
                response_started=started,
            )
            return ForwardResult.BROKEN if started else ForwardResult.OWNER_GONE
        return ForwardResult.ANSWERED

    def _build_request(
        self, exchange: Exchange, owner: Owner, timeouts: Mapping[str, float]
    ) -> httpcore2.Request:
        scope, body = exchange.scope, exchange.request.body or b""
        target = build_target(scope)
        token = self._signer.sign_forward_token(
            owner.uid,
            describe_target(scope),
            find_principal(scope),
            current_client().address,
        )
        headers = [pair for pair in scope["headers"] if pair[0].lower() not in NOT_SENT]
        headers.append((FORWARD_TOKEN_HEADER, token.encode()))
        headers.append((REQUEST_ID_HEADER, current_client().request_id.encode()))
        if body or scope["method"] == "POST":
            headers.append((b"content-length", str(len(body)).encode()))
        return httpcore2.Request(
            scope["method"],
            httpcore2.URL(
                scheme=self._dialing.scheme,
                host=str(owner.address).encode(),
                port=self._port,
                target=target,
            ),
            headers=inject(headers),
            content=body,
            extensions={"timeout": dict(timeouts), **self._dialing.extensions},
        )


def open_pool(dialing: Dialing) -> httpcore2.AsyncConnectionPool:
    """Make a pool without a limit: no session waits for another one."""
    return dialing.open_pool(
        max_connections=None,
        max_keepalive_connections=64,
        keepalive_expiry=IDLE_SECONDS,
    )


async def send_request(
    pool: httpcore2.AsyncConnectionPool, request: httpcore2.Request
) -> httpcore2.Response:
    """Send a request, and again if a kept connection closed at that moment.

    Every tool only reads, so a request that arrives twice does no harm. Again, too, if
    no connection came about in time: this replica may be too busy to notice it, and
    giving up an owner ends its streams.
    """
    try:
        return await pool.handle_async_request(request)
    except (
        httpcore2.ConnectTimeout,
        httpcore2.ReadError,
        httpcore2.WriteError,
        httpcore2.RemoteProtocolError,
    ):
        return await pool.handle_async_request(request)


async def relay(response: httpcore2.Response, send: Send) -> None:
    """Pass a response on as it arrives."""
    headers: Headers = [
        pair for pair in response.headers if pair[0].lower() not in NOT_RETURNED
    ]
    start = {"type": "http.response.start", "status": response.status}
    await send({**start, "headers": headers})
    async for chunk in response.aiter_stream():
        await send({"type": "http.response.body", "body": chunk, "more_body": True})
    await send({"type": "http.response.body", "body": b"", "more_body": False})
