"""mcp-remote, which desktop clients start as a program of their own.

A line for each time that it came back comes from `notice.mjs`, which Node loads first.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from fastmcp.client.transports import ClientTransport, StdioTransport

from benchmarks.faults.callers import OnRecovery, PythonCaller
from benchmarks.faults.ledger import RecoveryKind
from tests.support.node.clients import NodeClients

NOTICE = Path(__file__).with_name("notice.mjs")


@dataclass(frozen=True, slots=True)
class RemotePrograms:
    """How mcp-remote is started, and where it keeps its files."""

    clients: NodeClients
    folder: Path
    environment: Mapping[str, str] = field(default_factory=dict)


@dataclass(slots=True)
class RemoteCaller:
    """FastMCP's client over stdio, with mcp-remote between it and the hub."""

    client: PythonCaller
    recoveries: Path
    tell: OnRecovery
    told: int = 0
    has_no_stream: bool = False

    async def open(self, token: str) -> None:
        """Start the program, and begin a session."""
        await self.client.open(token)

    async def call(self, tool: str, arguments: dict[str, Any], limit: float) -> Any:
        """Call a tool."""
        try:
            return await self.client.call(tool, arguments, limit)
        finally:
            self._look()

    async def close(self) -> None:
        """End the program."""
        await self.client.close()

    def _look(self) -> None:
        if self.recoveries.exists():
            lines = self.recoveries.read_text(encoding="utf-8").splitlines()
            for line in lines[self.told :]:
                self.tell(RecoveryKind(line))
            self.told = len(lines)


def make_remote(
    url: str, programs: RemotePrograms, name: str, tell: OnRecovery
) -> RemoteCaller:
    """Make mcp-remote for `/mcp` or `/sse`, driven over stdio as desktop clients do."""
    mode = "sse-only" if url.endswith("/sse") else "http-only"
    node, *words = programs.clients.remote
    words = ["--import", str(NOTICE), *words, url, "--transport", mode, "--allow-http"]
    recoveries = programs.folder / f"{name}.recoveries"

    def make(token: str) -> ClientTransport:
        own = {"AUTH": f"Bearer {token}", "COMEBACKS": str(recoveries)}
        return StdioTransport(
            node,
            [*words, "--header", "Authorization:${AUTH}"],
            env={**programs.environment, **own},
            keep_alive=False,
            log_file=programs.folder / f"{name}.log",
        )

    told = len(recoveries.read_text().splitlines()) if recoveries.exists() else 0
    return RemoteCaller(PythonCaller(make, "legacy"), recoveries, tell, told)
