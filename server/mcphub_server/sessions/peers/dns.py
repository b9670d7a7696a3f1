"""Looks up the replicas of this hub in DNS: a request is forwarded to no other address.

The headless Service `<hub>-pods` publishes every replica, ready or not, so that a
draining one stays reachable. Answers are cached for a moment; before an unknown
address is refused, the name is looked up again.
"""

import asyncio
import socket
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Protocol

from mcphub_server.sessions.tokens.session_id import IpAddress, parse_address

Resolve = Callable[[str], Awaitable[frozenset[IpAddress]]]

FRESH_SECONDS = 2.0
LOOKUP_TIMEOUT_SECONDS = 2.0
"""How long a lookup may take while there is an older answer."""

FIRST_TIMEOUT_SECONDS = 10.0
"""How long without one: refusing a replica that exists ends its sessions."""


class PeerLookup(Protocol):
    """Knows whether an address is a replica of this hub."""

    async def includes(self, address: IpAddress) -> bool: ...


class PeerDirectory(PeerLookup, Protocol):
    """Knows every replica of this hub."""

    async def list_addresses(self) -> frozenset[IpAddress]: ...


class NoPeers:
    """The directory of a server without other replicas."""

    async def list_addresses(self) -> frozenset[IpAddress]:
        """Return no address."""
        return frozenset()

    async def includes(self, address: IpAddress) -> bool:
        """Return that there is no other replica."""
        del address
        return False


async def resolve_addresses(name: str) -> frozenset[IpAddress]:
    """Ask the system's resolver; raises OSError."""
    loop = asyncio.get_running_loop()
    answers = await loop.getaddrinfo(name, None, type=socket.SOCK_STREAM)
    return frozenset(parse_address(str(answer[4][0])) for answer in answers)


class DnsPeers:
    """The replicas that the headless Service names.

    While the resolver does not answer, its last answer stays in force: a fault of the
    cluster's DNS must not cut sessions that work. Lookups run one at a time, because
    each one that hangs holds a thread, and callers do not wait for one that hangs.
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
        self._lookup: asyncio.Task[None] | None = None

    async def includes(self, address: IpAddress) -> bool:
        """Return whether a replica has this address now.

        Only signed ids bring unknown addresses here, so each may cost a lookup.
        """
        now = self._clock()
        if address not in self._known:
            await self._ask(since=now, seconds=FIRST_TIMEOUT_SECONDS)
        elif now - self._asked_at > FRESH_SECONDS:
            await self._ask(since=now, seconds=LOOKUP_TIMEOUT_SECONDS)
        return address in self._known

    async def list_addresses(self) -> frozenset[IpAddress]:
        """Return the addresses of all replicas, including this one."""
        await self._ask(since=self._clock(), seconds=LOOKUP_TIMEOUT_SECONDS)
        return self._known

    async def _ask(self, since: float, seconds: float) -> None:
        """Look the name up, unless another caller has done so since then."""
        if not await self._is_over(seconds):
            return
        if self._asked_at <= since and (self._lookup is None or self._lookup.done()):
            self._asked_at = self._clock()
            self._lookup = asyncio.create_task(self._look_up())
        await self._is_over(seconds)

    async def _is_over(self, seconds: float) -> bool:
        """Wait until the lookup is `seconds` old; return whether it finished."""
        lookup = self._lookup
        if lookup is None:
            return True
        left = self._asked_at + seconds - self._clock()
        await asyncio.wait({lookup}, timeout=max(0.0, left))
        return lookup.done()

    async def _look_up(self) -> None:
        with suppress(OSError):  # the last answer stands
            self._known = await self._resolve(self._name)
