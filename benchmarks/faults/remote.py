"""mcp-remote, which desktop clients start as a program of their own.

`notice.mjs`, which Node loads first, writes a file of what only that process can see.
When mcp-remote's stream ends, it answers every open call with an error, whatever the
hub says to the call's POST; so whether a hub accepted a call is read from that file.
"""

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from fastmcp.client.transports import ClientTransport, StdioTransport

from benchmarks.faults.callers import OnRecovery, PythonCaller
from benchmarks.faults.ledger import RecoveryKind
from tests.support.node.clients import NodeClients

NOTICE = Path(__file__).with_name("notice.mjs")
POST_SECONDS = 25.0
"""How long to wait for the outcome of a POST: more than a forwarding replica's 20 s."""

POLL_SECONDS = 0.02


@dataclass(frozen=True, slots=True)
class RemotePrograms:
    """How mcp-remote is started, and where it keeps its files."""

    clients: NodeClients
    folder: Path
    environment: Mapping[str, str] = field(default_factory=dict)


@dataclass(slots=True)
class Notices:
    """The lines of `notice.mjs`, from where they were last read."""

    file: Path
    seen: int = 0

    def __post_init__(self) -> None:
        self.read_new()

    def read_new(self) -> list[tuple[str, str]]:
        """Return what was written since: subject and what happened to it."""
        if not self.file.exists():
            return []
        lines = self.file.read_text(encoding="utf-8").splitlines()
        new, self.seen = lines[self.seen :], len(lines)
        return [(subject, what) for subject, _, what in (x.partition(" ") for x in new)]


@dataclass(slots=True)
class RemoteCaller:
    """FastMCP's client over stdio, with mcp-remote between it and the hub."""

    client: PythonCaller
    notices: Notices
    on_recovery: OnRecovery
    posts: list[str] = field(default_factory=list)

    async def open(self, token: str) -> None:
        """Start the program, and begin a session."""
        await self.client.open(token)

    async def call(self, tool: str, arguments: dict[str, Any], limit: float) -> Any:
        """Call a tool."""
        self.posts.clear()
        try:
            return await self.client.call(tool, arguments, limit)
        finally:
            self._read_notices()

    async def is_orphaned(self) -> bool:
        """Wait for the outcome of the call's POST; say whether it was refused."""
        with suppress(TimeoutError):
            async with asyncio.timeout(POST_SECONDS):
                while is_under_way(self.posts):
                    await asyncio.sleep(POLL_SECONDS)
                    self._read_notices()
        return self.posts[-1:] == ["refused"]

    async def close(self) -> None:
        """End the program."""
        await self.client.close()

    def _read_notices(self) -> None:
        for subject, what in self.notices.read_new():
            if subject == "call":
                self.posts.append(what)
            else:
                self.on_recovery(RecoveryKind(what))


def is_under_way(posts: Sequence[str]) -> bool:
    """Say whether a call was posted whose outcome is not known yet."""
    return posts[-1:] == ["posted"]


def make_remote(
    url: str, programs: RemotePrograms, name: str, on_recovery: OnRecovery
) -> RemoteCaller:
    """Make mcp-remote for `/mcp` or `/sse`, driven over stdio as desktop clients do."""
    mode = "sse-only" if url.endswith("/sse") else "http-only"
    node, *words = programs.clients.remote
    words = ["--import", str(NOTICE), *words, url, "--transport", mode, "--allow-http"]
    notices = programs.folder / f"{name}.notices"

    def make(token: str) -> ClientTransport:
        own = {"AUTH": f"Bearer {token}", "NOTICES": str(notices)}
        return StdioTransport(
            node,
            [*words, "--header", "Authorization:${AUTH}"],
            env={**programs.environment, **own},
            keep_alive=False,
            log_file=programs.folder / f"{name}.log",
        )

    return RemoteCaller(PythonCaller(make, "legacy"), Notices(notices), on_recovery)
