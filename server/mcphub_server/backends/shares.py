"""How callers share the connections of one backend; see `traffic.fair_slots`."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from mcphub_server.errors import LimitExceeded
from mcphub_server.traffic.fair_slots import FairSlots, current_share


class PoolShares:
    """A slot for each connection that a backend's pool may have."""

    def __init__(self, backend: str, connections: int) -> None:
        self._backend = backend
        self._connections = connections
        self._slots = FairSlots(connections)

    @asynccontextmanager
    async def hold(self, wait_seconds: float) -> AsyncIterator[None]:
        """Keep one of the connections for the current caller.

        Raises:
            LimitExceeded: None that this caller may use comes free in time.
        """
        key = current_share()
        try:
            await self._slots.acquire(key, wait_seconds)
        except TimeoutError:
            raise self._refuse(self._slots.count_held(key)) from None
        try:
            yield
        finally:
            self._slots.release(key)

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
