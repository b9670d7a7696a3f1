"""Statements that go on in the server after their call has ended.

The server forgets no statement for a connection that was cut. So each stays in its
caller's share of the pool until the server says that it has ended: repeating one would
otherwise fill the server in spite of the pool, and take the connections of others.
"""

import asyncio
from collections.abc import Awaitable, Callable
from collections.abc import Set as AbstractSet
from typing import Any

from mcphub_server.backends.postgres.failures import DRIVER_ERRORS
from mcphub_server.backends.shares import Lease, PoolShares
from mcphub_server.errors import BackendUnavailable
from mcphub_server.web.caller import Share

ASK_TIMEOUT_SECONDS = 1.0

FIND_RUNNING = """
SELECT pg_catalog.array_agg(pid) FILTER (WHERE state = 'active')
FROM pg_catalog.pg_stat_activity WHERE pid = ANY ($1::int[])"""


class Orphans:
    """The server processes of such statements, and whose they are.

    Args:
        connect: Opens a connection beside the pool.
        shares: Of the pool.
    """

    def __init__(
        self, connect: Callable[[], Awaitable[Any]], shares: PoolShares
    ) -> None:
        self._connect = connect
        self._shares = shares
        self._callers: dict[int, Share] = {}
        self._asking = asyncio.Lock()

    async def take(self, process: int, lease: Lease) -> bool:
        """Keep a cut connection's place unless its statement has ended.

        Returns:
            Whether the statement is known to run.
        """
        running = await self._find_running({process})
        if running is None or process in running:
            lease.is_kept = True
            self._callers[process] = lease.share
        return bool(running)

    async def release(self) -> None:
        """Give back the places of statements that have ended, if the pool is full."""
        if not self._callers or self._shares.has_room() or self._asking.locked():
            return
        async with self._asking:
            asked = set(self._callers)
            running = await self._find_running(asked)
            if running is None:
                return
            for process in asked - running:
                self._shares.give_back(self._callers.pop(process))

    async def _find_running(self, processes: AbstractSet[int]) -> frozenset[int] | None:
        """Return which server processes run a statement; None without an answer."""
        try:
            async with asyncio.timeout(ASK_TIMEOUT_SECONDS):
                connection = await self._connect()
                try:
                    found = await connection.fetchval(FIND_RUNNING, list(processes))
                finally:
                    connection.terminate()
        except (*DRIVER_ERRORS, BackendUnavailable):
            return None
        return frozenset(found or ())
