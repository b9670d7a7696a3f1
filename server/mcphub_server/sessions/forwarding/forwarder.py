"""Handing a request over to the replica that owns its session, as a stream.

Bytes go through as they come, in both directions; nothing waits for an end. Headers
go along, credentials do not: a signed ticket says who asked. httpcore2 is what the
SDK's own client stands on, and costs 0.5 ms of CPU a request here, where the client
above it costs 0.65; it follows no redirects and reads no proxy settings, and both is
wanted.
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
    ForwardRequest,
    ForwardResult,
    Owner,
    describe_target,
    find_refusal,
    request_target,
)
from mcphub_server.sessions.peers.dns import PeerLookup
from mcphub_server.sessions.tokens.principal import find_principal
from mcphub_server.sessions.tokens.signer import TokenSigner
from mcphub_server.web.asgi import Headers
from mcphub_server.web.caller import current_client
from mcphub_server.web.headers import FORWARD_TOKEN_HEADER, REQUEST_ID_HEADER

TIMEOUTS: Mapping[str, float] = {"connect": 1.0, "read": 65.0, "write": 10.0}
"""Seconds. A stream has a ping every 15 s, and no answer is silent for longer than
45 s, so 65 s without a byte is a dead owner."""

PATIENT_CONNECT_SECONDS = 20.0
"""Where nobody can take the owner's place: a busy replica must not pass for a dead
one, and one that is short of CPU takes seconds to see that it is connected."""

GONE_SECONDS = 5.0
"""How long an owner that did not answer is not asked again."""

IDLE_SECONDS = 60.0
"""How long a connection is kept; the owner keeps it for 180 s."""

log = structlog.get_logger(__name__)


class Forwarder:
    """The connections to the other replicas.

    Streams have a pool of their own: a pool looks at all its connections for each
    request, and a thousand open streams would slow every call.
    """

    def __init__(
        self,
        port: int,
        replicas: PeerLookup,
        signer: TokenSigner,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._port = port
        self._replicas = replicas
        self._signer = signer
        self._clock = clock
        self._gone: dict[Owner, float] = {}
        self._calls = open_pool()
        self._streams = open_pool()

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
        self, errand: ForwardRequest, owner: Owner, *, is_patient: bool = False
    ) -> ForwardResult:
        """Let the owner answer; never asks an address that is no replica.

        Patience is for errands that fail if the owner is given up.
        """
        if not is_patient and self._gone.get(owner, 0) > self._clock():
            return ForwardResult.OWNER_GONE
        if not await self._replicas.includes(owner.address):
            return ForwardResult.OWNER_GONE
        connect = PATIENT_CONNECT_SECONDS if is_patient else TIMEOUTS["connect"]
        request = self._build_request(errand, owner, {**TIMEOUTS, "connect": connect})
        result = await self._exchange(errand, owner, request)
        if result is ForwardResult.OWNER_GONE:
            self._remember_gone(owner)
        return result

    def _remember_gone(self, owner: Owner) -> None:
        now = self._clock()
        self._gone = {one: until for one, until in self._gone.items() if until > now}
        self._gone[owner] = now + GONE_SECONDS

    async def _exchange(
        self, errand: ForwardRequest, owner: Owner, request: httpcore2.Request
    ) -> ForwardResult:
        result = ForwardResult.ANSWERED  # a client that left needs no answer
        async with anyio.create_task_group() as group:

            async def watch_client() -> None:
                while (await errand.receive())["type"] != "http.disconnect":
                    pass
                group.cancel_scope.cancel()

            group.start_soon(watch_client)
            result = await self._stream(errand, owner, request)
            group.cancel_scope.cancel()
        return result

    async def _stream(
        self, errand: ForwardRequest, owner: Owner, request: httpcore2.Request
    ) -> ForwardResult:
        started = False
        pool = self._streams if errand.scope["method"] == "GET" else self._calls
        try:
            response = await request_anew(pool, request)
            try:
                refusal = find_refusal(response)
                if refusal is not None:
                    return refusal
                started = True
                await send_on(response, errand.send)
            finally:
                await response.aclose()
        except (
            httpcore2.NetworkError,
            httpcore2.ProtocolError,
            httpcore2.TimeoutException,
        ) as error:
            log.warning(
                "owner gone",
                address=str(owner.address),
                cause=type(error).__name__,
                answering=started,
            )
            return ForwardResult.BROKEN if started else ForwardResult.OWNER_GONE
        return ForwardResult.ANSWERED

    def _build_request(
        self, errand: ForwardRequest, owner: Owner, timeouts: Mapping[str, float]
    ) -> httpcore2.Request:
        scope = errand.scope
        target = request_target(scope)
        ticket = self._signer.sign_forward_token(
            owner.uid,
            describe_target(scope),
            find_principal(scope),
            current_client().address,
        )
        headers = [pair for pair in scope["headers"] if pair[0].lower() not in NOT_SENT]
        headers.append((FORWARD_TOKEN_HEADER, ticket.encode()))
        headers.append((REQUEST_ID_HEADER, current_client().request_id.encode()))
        if errand.body or scope["method"] == "POST":
            headers.append((b"content-length", str(len(errand.body)).encode()))
        return httpcore2.Request(
            scope["method"],
            httpcore2.URL(
                scheme=b"http",
                host=str(owner.address).encode(),
                port=self._port,
                target=target,
            ),
            headers=headers,
            content=errand.body,
            extensions={"timeout": dict(timeouts)},
        )


def open_pool() -> httpcore2.AsyncConnectionPool:
    """Make a pool without a limit: a session must not wait for another one."""
    return httpcore2.AsyncConnectionPool(
        max_connections=None,
        max_keepalive_connections=64,
        keepalive_expiry=IDLE_SECONDS,
    )


async def request_anew(
    pool: httpcore2.AsyncConnectionPool, request: httpcore2.Request
) -> httpcore2.Response:
    """Send a request; once more if a kept connection closed as it left.

    Every tool only reads, so a request that was received twice does no harm. Once more
    too if no connection came about in time: it may be this replica that is too busy to
    notice, and an owner that is given up takes its streams along.
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


async def send_on(response: httpcore2.Response, send: Send) -> None:
    """Pass a response on as it comes."""
    headers: Headers = [
        pair for pair in response.headers if pair[0].lower() not in NOT_RETURNED
    ]
    start = {"type": "http.response.start", "status": response.status}
    await send({**start, "headers": headers})
    async for chunk in response.aiter_stream():
        await send({"type": "http.response.body", "body": chunk, "more_body": True})
    await send({"type": "http.response.body", "body": b"", "more_body": False})
