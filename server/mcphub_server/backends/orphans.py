"""Statements that go on in a server after their call has ended.

A server forgets no statement for a connection that was cut. So each stays in its
caller's share of the pool until the server says that it has ended: repeating one would
otherwise fill the server in spite of the pool, and take the connections of others.
"""

import asyncio
from collections.abc import Awaitable, Callable
from collections.abc import Set as AbstractSet
from typing import Generic, TypeVar

import anyio

from mcphub_server.backends.shares import Lease, PoolShares
from mcphub_server.web.caller import UNKNOWN, Share, find_share

ASK_TIMEOUT_SECONDS = 1.0
"""How long a server may take to say what runs; for the finders of each kind."""

PAUSES_SECONDS = (0.0, 0.1, 0.2, 0.4)
"""Before each question for a place: a server needs a moment to end what was cut."""

Key = TypeVar("Key", int, str)

FindRunning = Callable[[AbstractSet[Key]], Awaitable[AbstractSet[Key] | None]]
"""Returns which of the statements run; None if the server does not say."""


class Orphans(Generic[Key]):
    """Such statements by the server's name for them, and whose they are.

    Args:
        find_running: Asks the server, beside the pool, within ASK_TIMEOUT_SECONDS.
        shares: Of the pool.
    """

    def __init__(self, find_running: FindRunning[Key], shares: PoolShares) -> None:
        self._find_running: FindRunning[Key] = find_running
        self._shares = shares
        self._callers: dict[Key, Share] = {}
        self._asking = asyncio.Lock()

    async def take(self, key: Key, lease: Lease) -> bool:
        """Keep a cut connection's place unless its statement has ended.

        Returns:
            Whether the statement is known to run.
        """
        self._callers[key] = lease.share
        lease.is_kept = True  # before the question, which may be cancelled
        with anyio.CancelScope(shield=True):
            running = await self._find_running({key})
        has_ended = running is not None and key not in running
        if has_ended and self._callers.pop(key, None) is not None:
            lease.is_kept = False
        return bool(running)

    async def take_abandoned(self, key: Key, lease: Lease) -> None:
        """Keep the place of a statement whose caller has gone; not the hub's own.

        A probe that a hanging server does not answer is cut, too.
        """
        if lease.share != find_share(UNKNOWN):
            await self.take(key, lease)

    async def release(self) -> None:
        """Give back the places of statements that have ended, if the pool is full."""
        for pause in PAUSES_SECONDS:
            if not self._is_needed():
                return
            await asyncio.sleep(pause)
            if self._asking.locked():
                continue
            async with self._asking:
                if not self._is_needed() or not await self._release_ended():
                    return

    def _is_needed(self) -> bool:
        return bool(self._callers) and not self._shares.has_room()

    async def _release_ended(self) -> bool:
        """Return whether the server answers."""
        asked = set(self._callers)
        running = await self._find_running(asked)
        if running is None:
            return False
        for key in asked - running:
            # unless `take` has heard the same of it meanwhile
            share = self._callers.pop(key, None)
            if share is not None:
                self._shares.give_back(share)
        return True
