"""Which addresses are replicas of this hub: the only ones a request may go to.

The headless Service `<hub>-pods` publishes every replica, ready or not, so that a
draining one stays reachable. Its answers are cached for a moment, and an unknown
address is asked for again before it is refused.
"""

import asyncio
import socket
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Protocol

from mcphub_server.sessions.session_id import IpAddress, parse_address

Resolve = Callable[[str], Awaitable[frozenset[IpAddress]]]

FRESH_SECONDS = 2.0
LOOKUP_TIMEOUT_SECONDS = 2.0


class Replicas(Protocol):
    """Knows the addresses of this hub's replicas."""

    async def includes(self, address: IpAddress) -> bool: ...


class Directory(Replicas, Protocol):
    """Knows them all."""

    async def list_addresses(self) -> frozenset[IpAddress]: ...


class NoReplicas:
    """A server that stands alone."""

    async def list_addresses(self) -> frozenset[IpAddress]:
        """Nobody."""
        return frozenset()

    async def includes(self, address: IpAddress) -> bool:
        """Nobody else is there."""
        del address
        return False


async def resolve_addresses(name: str) -> frozenset[IpAddress]:
    """Ask the system's resolver; raises OSError."""
    loop = asyncio.get_running_loop()
    async with asyncio.timeout(LOOKUP_TIMEOUT_SECONDS):
        answers = await loop.getaddrinfo(name, None, type=socket.SOCK_STREAM)
    return frozenset(parse_address(str(answer[4][0])) for answer in answers)


class DnsReplicas:
    """The replicas that the headless Service names.

    When the resolver does not answer, what it said last stays true: a fault of the
    cluster's DNS must not cut sessions that work.
    """

    def __init__(
        self,
        name: str,
        resolve: Resolve = resolve_addresses,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._name = name
        self._resolve = resolve
        self._clock = clock
        self._known: frozenset[IpAddress] = frozenset()
        self._asked_at = float("-inf")
        self._asking = asyncio.Lock()

    async def includes(self, address: IpAddress) -> bool:
        """Say whether a replica has this address now.

        Only signed ids bring unknown addresses here, so each may cost a look-up.
        """
        now = self._clock()
        if now - self._asked_at > FRESH_SECONDS or address not in self._known:
            await self._ask(since=now)
        return address in self._known

    async def list_addresses(self) -> frozenset[IpAddress]:
        """Return the addresses of all replicas, this one's included."""
        await self._ask(since=self._clock())
        return self._known

    async def _ask(self, since: float) -> None:
        """Look the name up, unless somebody else began to after this moment."""
        async with self._asking:
            if self._asked_at > since:
                return
            self._asked_at = self._clock()
            with suppress(OSError):  # TimeoutError is one; the last answer stands
                self._known = await self._resolve(self._name)
