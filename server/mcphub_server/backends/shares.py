"""How callers share the connections of one backend; see `traffic.fair_slots`."""

import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass

from mcphub_server.errors import LimitExceeded
from mcphub_server.spans import Kind, open_span
from mcphub_server.traffic.fair_slots import FairSlots
from mcphub_server.web.caller import Share, current_share

WAIT_SECONDS = 2.0
"""How long a call waits for its turn to use a connection; shorter than a probe."""


@dataclass(slots=True)
class Lease:
    """One connection in the hands of a caller.

    Attributes:
        share: Whose it is.
        is_kept: It stays the caller's beyond the block; `give_back` ends that.
    """

    share: Share
    is_kept: bool = False


class PoolShares:
    """A slot for each connection that a backend's pool may have.

    Attributes:
        on_wait: Told how long each use has waited for its turn.
    """

    def __init__(self, backend: str, connections: int) -> None:
        self._backend = backend
        self._connections = connections
        self._slots = FairSlots(connections)
        self.on_wait: Callable[[float], None] = lambda _: None

    @asynccontextmanager
    async def hold(self, wait_seconds: float) -> AsyncIterator[Lease]:
        """Lend one of the connections to the current caller.

        Raises:
            LimitExceeded: None that this caller may use comes free in time.
        """
        lease = Lease(current_share())
        with open_span(Kind.INTERNAL, "wait for a connection"):
            await self._wait(lease.share, wait_seconds)
        try:
            yield lease
        finally:
            if not lease.is_kept:
                self.give_back(lease.share)

    async def _wait(self, share: Share, wait_seconds: float) -> None:
        began = time.perf_counter()
        try:
            await self._slots.acquire(share, wait_seconds)
        except TimeoutError:
            raise self._refuse(self._slots.count_held(share)) from None
        finally:
            self.on_wait(time.perf_counter() - began)

    def give_back(self, share: Share) -> None:
        """End what a caller kept beyond a call."""
        self._slots.release(share)

    def has_room(self) -> bool:
        """Return whether the current caller would get a connection at once."""
        return self._slots.may_take(current_share())

    def _refuse(self, held: int) -> LimitExceeded:
        if 0 < held == self._connections - 1:
            return LimitExceeded(
                f"Your own calls use {held} of the {self._connections} connections to "
                f"{self._backend}, as many as one caller may; wait for one to end.",
                retry_after_seconds=1.0,
            )
        return refuse_busy(self._backend, self._connections)


def refuse_busy(backend: str, connections: int) -> LimitExceeded:
    """Say that all connections are in use."""
    return LimitExceeded(
        f"All {connections} connections to {backend} are busy; try again shortly.",
        retry_after_seconds=1.0,
    )
