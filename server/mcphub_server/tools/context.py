"""What every tool is given, so that no tool reaches for globals.

A tool checks its arguments, asks its backend through `run`, and builds a result;
breaker, concurrency, time budget, audit and identity stay behind this seam.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Protocol, TypeVar

from mcphub_server.backends.base import Backend
from mcphub_server.config.hub import LimitsConfig
from mcphub_server.results.cursors import CursorSigner
from mcphub_server.tools.guarding import GuardRunner

Result = TypeVar("Result")


class BackendRunner(Protocol):
    """Run one call to a backend within the hub's limits.

    Raises BackendUnavailable at once while the backend's circuit is open,
    LimitExceeded when no place frees up in time, QueryTimeout past the budget;
    errors of the call pass through.
    """

    async def __call__(
        self, backend: Backend, call: Callable[[], Awaitable[Result]]
    ) -> Result: ...


class CallNotes(Protocol):
    """Add facts to the audit line of the call that is running; values never."""

    def __call__(
        self, *, fingerprint: str | None = None, rows: int | None = None
    ) -> None: ...


@dataclass(frozen=True, slots=True)
class ToolContext:
    """The hub as a tool sees it.

    Attributes:
        limits: Rows, bytes and seconds that one call may take.
        cursors: Signs and verifies pagination cursors.
        run: Wraps each call to a backend.
        principal: Who is calling now; part of every cursor.
        note: Adds the statement's fingerprint and the row count to the audit line.
        guards: Runs the guards aside where they take long.
    """

    limits: LimitsConfig
    cursors: CursorSigner
    run: BackendRunner
    principal: Callable[[], str]
    note: CallNotes
    guards: GuardRunner = field(default_factory=GuardRunner)
