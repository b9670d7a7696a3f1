"""What the load knows of a client: open a session, call a tool, close it.

The clients are the real ones; nothing here retries, hides or repairs anything. Beside
their answers they report when they recovered by themselves.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Protocol

import httpx2
from fastmcp import Client
from fastmcp.client.transports import (
    ClientTransport,
    SSETransport,
    StreamableHttpTransport,
)
from mcp.shared._httpx_utils import create_mcp_http_client

from benchmarks.faults.ledger import RecoveryKind

CLOSE_SECONDS = 5.0
ACCEPTED = 202
CALL = b'"method":"tools/call"'
"""What tells a call's POST from a notification's, whose 202 may come later."""

OnRecovery = Callable[[RecoveryKind], None]


class LostError(Exception):
    """A client gave a call up because no answer came within its limit."""


class Caller(Protocol):
    """One client of one hub."""

    async def open(self, token: str) -> None:
        """Begin a session; raises whatever the client raises."""

    async def call(self, tool: str, arguments: dict[str, Any], limit: float) -> Any:
        """Return a tool's structured result.

        Raises:
            LostError: the client gave up after so many seconds.
            Exception: whatever else the client raises.
        """

    async def is_orphaned(self) -> bool:
        """Say whether no hub accepted the latest call since its stream had ended.

        Answers come on that stream alone, so no hub could answer the call any more.
        """

    async def close(self) -> None:
        """End the session; never raises."""


@dataclass(slots=True)
class PythonCaller:
    """FastMCP's client, over any of its transports."""

    make: Callable[[str], ClientTransport]
    mode: str
    is_ended: bool = False
    is_accepted: bool = False
    _client: Client[Any] | None = None

    async def open(self, token: str) -> None:
        """Begin a session."""
        self.is_ended = False
        client = Client(self.make(token), mode=self.mode)
        await client.__aenter__()  # type: ignore[no-untyped-call]
        self._client = client

    async def call(self, tool: str, arguments: dict[str, Any], limit: float) -> Any:
        """Call a tool; `limit` is the load's to keep."""
        del limit
        self.is_accepted = False
        assert self._client is not None
        answer = await self._client.call_tool(tool, arguments)
        return answer.structured_content

    async def is_orphaned(self) -> bool:
        """Say whether the latest call came too late for its stream."""
        return self.is_ended and not self.is_accepted

    async def close(self) -> None:
        """End the session, whatever state it is in."""
        client, self._client = self._client, None
        if client is None:
            return
        with suppress(Exception):  # a session that a fault ended may end in any way
            async with asyncio.timeout(CLOSE_SECONDS):
                await client.__aexit__(None, None, None)  # type: ignore[no-untyped-call]


@dataclass(slots=True)
class Watch:
    """Sees an HTTP client's requests go by."""

    caller: PythonCaller
    on_recovery: OnRecovery

    def make_client(
        self,
        headers: dict[str, str] | None = None,
        timeout: httpx2.Timeout | None = None,
        auth: httpx2.Auth | None = None,
        **_options: Any,
    ) -> httpx2.AsyncClient:
        """Make the SDK's own HTTP client, and look at what it sends and gets."""
        client = create_mcp_http_client(headers, timeout, auth)
        client.event_hooks["request"].append(self._see_request)
        client.event_hooks["response"].append(self._see_response)
        return client

    async def _see_request(self, request: httpx2.Request) -> None:
        if request.method == "GET" and "last-event-id" in request.headers:
            self.on_recovery(RecoveryKind.RESUMED)

    async def _see_response(self, response: httpx2.Response) -> None:
        if response.request.method == "GET" and response.url.path.endswith("/sse"):
            response.stream = WatchedStream(response.stream, self._end)
        elif response.status_code == ACCEPTED and CALL in response.request.content:
            self.caller.is_accepted = True

    def _end(self) -> None:
        self.caller.is_ended = True


@dataclass(slots=True)
class WatchedStream(httpx2.AsyncByteStream):
    """A response's bytes, and the moment of their end."""

    inner: Any
    on_end: Callable[[], None]

    async def __aiter__(self) -> AsyncIterator[bytes]:
        try:
            async for chunk in self.inner:
                yield chunk
        finally:
            self.on_end()

    async def aclose(self) -> None:
        await self.inner.aclose()


def make_python(url: str, mode: str, on_recovery: OnRecovery) -> PythonCaller:
    """Make FastMCP's client for `/mcp` or `/sse`."""
    kind = SSETransport if url.endswith("/sse") else StreamableHttpTransport

    def make(token: str) -> ClientTransport:
        headers = {"Authorization": f"Bearer {token}"}
        return kind(url, headers=headers, httpx_client_factory=watch.make_client)

    caller = PythonCaller(make, mode)
    watch = Watch(caller, on_recovery)
    return caller
