"""Ending a replica so that no client notices, as far as that is possible.

After SIGTERM requests keep coming: endpoints and kept-alive connections outlive each
other. So the listener stays open to the end, every answer asks its client to open a
new connection elsewhere, and idle connections are left alone for longer than clients
keep them. Only then the streams end, and the listeners last.
"""

import asyncio
from collections.abc import MutableMapping
from typing import Any

import structlog
from sse_starlette.sse import AppStatus
from starlette.types import ASGIApp, Receive, Scope, Send

from mcphub_server.sessions.traffic import Traffic

STREAM_GRACE_SECONDS = 0.3
"""The last answer on a stream must reach its client before the stream ends."""

LONGEST_DRAIN_SECONDS = 60.0
"""No call may run longer than 45 s; what is still there after this is cut."""

log = structlog.get_logger(__name__)


class CloseWhileDraining:
    """Counts requests, and asks for a new connection once the replica drains."""

    def __init__(self, app: ASGIApp, traffic: Traffic) -> None:
        self._app = app
        self._traffic = traffic

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        lasting = is_stream(scope)
        with self._traffic.stream() if lasting else self._traffic.request():
            await self._app(scope, receive, self._closing(send))

    def _closing(self, send: Send) -> Send:
        async def send_closing(message: MutableMapping[str, Any]) -> None:
            if message["type"] == "http.response.start" and self._traffic.draining:
                headers = list(message.get("headers", ()))
                headers.append((b"connection", b"close"))
                message = {**message, "headers": headers}
            await send(message)

        return send_closing


def is_stream(scope: Scope) -> bool:
    """Tell whether a request opens a stream that its client ends."""
    return scope["method"] == "GET" and scope["path"].rstrip("/") in {"/sse", "/mcp"}


def keep_streams_at_shutdown() -> None:
    """Stop sse-starlette from cutting every stream half a second after SIGTERM."""
    AppStatus.enable_automatic_graceful_drain = False
    AppStatus.should_exit = False


async def drain(traffic: Traffic, linger_seconds: float) -> None:
    """Return when nothing is lost by closing the listeners."""
    traffic.begin_draining()
    log.info("draining", calls=traffic.calls, streams=traffic.streams)
    try:
        async with asyncio.timeout(LONGEST_DRAIN_SECONDS):
            await asyncio.sleep(linger_seconds)
            await traffic.wait_until_idle()
    except TimeoutError:
        log.warning("calls cut", calls=traffic.calls)
    await asyncio.sleep(STREAM_GRACE_SECONDS)
    AppStatus.should_exit = True
