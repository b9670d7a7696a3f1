"""What the rest of the server knows of a database, whatever its kind.

A backend connects by itself at its first use and again after a failure, and turns
its driver's errors into this project's in one place of its own. Breaker, health
loop and limits stand around it and are not its business.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from mcphub_server.backends.shares import PoolShares
from mcphub_server.errors import BackendReason


class BackendState(StrEnum):
    """The words of the McpHub's status."""

    CONNECTED = "Connected"
    DEGRADED = "Degraded"
    UNREACHABLE = "Unreachable"
    UNKNOWN = "Unknown"


@dataclass(frozen=True, slots=True)
class Health:
    """The state of a backend; everyone who may see the hub may read the message."""

    state: BackendState
    reason: BackendReason | None = None
    message: str = ""


@dataclass(frozen=True, slots=True)
class PoolUsage:
    """How many connections a backend holds now; for gauges."""

    size: int
    in_use: int
    limit: int


class Backend(Protocol):
    """One database.

    `open` makes what needs a running event loop and does not connect; `probe` takes
    a bounded time and raises nothing but CancelledError.
    """

    @property
    def name(self) -> str: ...

    @property
    def kind(self) -> str: ...

    @property
    def endpoint(self) -> str: ...

    @property
    def shares(self) -> PoolShares | None:
        """How callers share its connections; None where its driver decides."""

    async def open(self) -> None: ...

    async def close(self) -> None: ...

    async def probe(self) -> Health: ...

    def pool_usage(self) -> PoolUsage | None: ...
