"""Clients that call without a break while a Service changes its pods.

A client opens a connection for each call, or keeps one. What answered each request is
known by the mark of the old pods.
"""

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx2
from fastmcp import Client
from fastmcp.client.transports import SSETransport, StreamableHttpTransport
from mcp.shared._httpx_utils import create_mcp_http_client

from tests.support.handmade.server import MARK

CALL_SECONDS = 30.0
OLD, HUB = "old", "hub"
CLASSIC, MODERN = "legacy", "2026-07-28"


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of client: where it calls, and how."""

    path: str
    mode: str = CLASSIC
    keeps: bool = False


KINDS = (
    Kind("/mcp"),
    Kind("/mcp", MODERN),
    Kind("/mcp", keeps=True),
    Kind("/mcp", MODERN, keeps=True),
    Kind("/sse"),
)


@dataclass(frozen=True, slots=True)
class Call:
    """A call that has ended, and who answered the requests that it took."""

    kind: Kind
    servers: frozenset[str]
    problem: str = ""

    @property
    def is_lost(self) -> bool:
        """Whether it failed, and not because its stream was open during a switch."""
        was_open = self.kind.path == "/sse" and self.servers == {OLD, HUB}
        return bool(self.problem) and not was_open


@dataclass
class Load:
    """The clients of one address, in a thread of their own."""

    url: str
    calls: list[Call] = field(default_factory=list)
    ended: threading.Event = field(default_factory=threading.Event)
    leaves: threading.Event = field(default_factory=threading.Event)
    """Set: clients that keep a connection close it."""
    kept: set[Kind] = field(default_factory=set)
    """Clients that keep a connection now."""

    def is_answered_by(self, server: str, since: int) -> bool:
        """Tell whether each kind's latest call since a moment was one server's."""
        latest = {call.kind: call.servers for call in self.calls[since:]}
        kinds = {kind for kind in KINDS if not kind.keeps}
        return all(latest.get(kind) == frozenset({server}) for kind in kinds)

    @contextmanager
    def running(self) -> Iterator["Load"]:
        """Call until the block ends; a client that does not end then is an error."""
        thread = threading.Thread(target=lambda: asyncio.run(self._run()), daemon=True)
        thread.start()
        try:
            yield self
        finally:
            self.ended.set()
            thread.join(2 * CALL_SECONDS)
        assert not thread.is_alive(), f"clients still run; they keep {self.kept}"

    async def _run(self) -> None:
        async with asyncio.TaskGroup() as group:
            for kind in KINDS:
                work = self._keep if kind.keeps else self._open_again
                group.create_task(work(kind))

    async def _open_again(self, kind: Kind) -> None:
        while not self.ended.is_set():
            servers: set[str] = set()
            try:
                async with (
                    asyncio.timeout(CALL_SECONDS),
                    self._client(kind, servers) as c,
                ):
                    await c.call_tool("health_check")
            except Exception as problem:  # noqa: BLE001 - clients raise anything
                self._note(kind, servers, problem)
            else:
                self._note(kind, servers)

    async def _keep(self, kind: Kind) -> None:
        servers: set[str] = set()
        self.kept.add(kind)
        async with self._client(kind, servers) as client:
            while not (self.leaves.is_set() or self.ended.is_set()):
                try:
                    async with asyncio.timeout(CALL_SECONDS):
                        await client.call_tool("health_check")
                except Exception as problem:  # noqa: BLE001 - clients raise anything
                    self._note(kind, servers, problem)
                else:
                    self._note(kind, servers)
                servers.clear()
                await asyncio.sleep(0.02)
        self.kept.discard(kind)

    def _note(
        self, kind: Kind, servers: set[str], problem: Exception | None = None
    ) -> None:
        said = f"{type(problem).__name__}: {problem}" if problem else ""
        self.calls.append(Call(kind, frozenset(servers), said))

    def _client(self, kind: Kind, servers: set[str]) -> Client[Any]:
        async def see(response: httpx2.Response) -> None:
            servers.add(response.headers.get(MARK.decode(), HUB))

        def make_client(
            headers: dict[str, str] | None = None,
            timeout: httpx2.Timeout | None = None,
            auth: httpx2.Auth | None = None,
            **_options: Any,
        ) -> httpx2.AsyncClient:
            made = create_mcp_http_client(headers, timeout, auth)
            made.event_hooks["response"].append(see)
            return made

        transport = SSETransport if kind.path == "/sse" else StreamableHttpTransport
        url = f"{self.url}{kind.path}"
        return Client(transport(url, httpx_client_factory=make_client), mode=kind.mode)
