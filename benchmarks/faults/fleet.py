"""Which clients there are, and how many of each kind."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

from benchmarks.faults.callers import Caller, OnRecovery, make_python
from benchmarks.faults.hubs import NODE_PORTS, STATEFUL, STATELESS
from benchmarks.faults.load import Member
from benchmarks.faults.node import TypeScriptCaller, Worker
from benchmarks.faults.remote import RemotePrograms, make_remote

CLASSIC, MODERN = "legacy", "2026-07-28"


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of client.

    Attributes:
        program: `python`, `remote`, or a kind that `worker.mjs` knows.
        mode: FastMCP's word for the revision.
        kept: How many keep their session and connections.
        fresh: How many open a new connection for each call.
    """

    name: str
    program: str
    hub: str
    path: str
    kept: int
    fresh: int = 0
    mode: str = CLASSIC


FULL: Sequence[Kind] = (
    Kind("Python /mcp 2025-11-25", "python", STATELESS, "/mcp", 5, 3),
    Kind("Python /mcp 2026-07-28", "python", STATELESS, "/mcp", 5, 3, MODERN),
    Kind("Python /mcp sessions", "python", STATEFUL, "/mcp", 5, 2),
    Kind("Python /sse", "python", STATELESS, "/sse", 4, 1),
    Kind("TypeScript /mcp 2025-11-25", "sdk-http", STATELESS, "/mcp", 3, 1),
    Kind("TypeScript /mcp 2026-07-28", "modern-http", STATELESS, "/mcp", 3, 1),
    Kind("TypeScript /mcp sessions", "sdk-http", STATEFUL, "/mcp", 3),
    Kind("TypeScript /sse", "sdk-sse", STATEFUL, "/sse", 4),
    Kind("mcp-remote /mcp", "remote", STATELESS, "/mcp", 2),
    Kind("mcp-remote /mcp sessions", "remote", STATEFUL, "/mcp", 2),
    Kind("mcp-remote /sse", "remote", STATEFUL, "/sse", 3),
)
"""Fifty clients."""

CUT: Sequence[Kind] = (
    Kind("Python /mcp 2025-11-25", "python", STATELESS, "/mcp", 1, 1),
    Kind("Python /mcp 2026-07-28", "python", STATELESS, "/mcp", 1, 1, MODERN),
    Kind("Python /mcp sessions", "python", STATEFUL, "/mcp", 1),
    Kind("Python /sse", "python", STATELESS, "/sse", 1),
    Kind("TypeScript /mcp 2025-11-25", "sdk-http", STATELESS, "/mcp", 1),
    Kind("TypeScript /mcp 2026-07-28", "modern-http", STATELESS, "/mcp", 1),
    Kind("TypeScript /mcp sessions", "sdk-http", STATEFUL, "/mcp", 1),
    Kind("TypeScript /sse", "sdk-sse", STATEFUL, "/sse", 1),
    Kind("mcp-remote /mcp", "remote", STATELESS, "/mcp", 1),
    Kind("mcp-remote /sse", "remote", STATEFUL, "/sse", 1),
)
"""Twelve, for a test."""


@dataclass(frozen=True, slots=True)
class Programs:
    """What clients run on that are not Python's."""

    worker: Worker
    remote: RemotePrograms


def build_fleet(
    kinds: Sequence[Kind], addresses: Sequence[str], programs: Programs
) -> list[Member]:
    """Make all clients; they enter the cluster at these nodes in turn."""
    members: list[Member] = []
    for kind in kinds:
        for fresh in (False,) * kind.kept + (True,) * kind.fresh:
            number = len(members)
            address = addresses[number % len(addresses)]
            url = f"http://{address}:{NODE_PORTS[kind.hub]}{kind.path}"
            make = partial(make_caller, kind, url, programs, number)
            members.append(Member(kind.name, number, fresh, make))
    return members


def make_caller(
    kind: Kind, url: str, programs: Programs, number: int, on_recovery: OnRecovery
) -> Caller:
    """Make one client."""
    if kind.program == "python":
        return make_python(url, kind.mode, on_recovery)
    if kind.program == "remote":
        return make_remote(url, programs.remote, f"mcp-remote-{number}", on_recovery)
    return TypeScriptCaller(programs.worker, kind.program, url, on_recovery, number)
