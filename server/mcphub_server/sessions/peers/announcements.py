"""New replicas announce themselves to their peers, because DNS names them late.

The cluster caches DNS answers for up to half a minute. A new replica gets its first
streams sooner, and a message for one of them may reach a replica that does not know
it. So a replica announces itself to every known peer before it serves, and for a
minute after. An announcement is signed. The response names the other replicas that
announced themselves lately, so replicas that start together find each other.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import httpcore2
import msgspec

from mcphub_server.background import keep_going
from mcphub_server.sessions.peers.dns import PeerDirectory
from mcphub_server.sessions.tokens.session_id import IpAddress, parse_address
from mcphub_server.sessions.tokens.signer import TokenSigner
from mcphub_server.tls.dialing import PLAIN, Dialing
from mcphub_server.web.asgi import find_header
from mcphub_server.web.headers import ANNOUNCEMENT_HEADER
from mcphub_server.web.paths import Endpoint

FRESH_SECONDS = 15.0
"""How long an announcement is valid: long before another pod gets the address."""

INTERVAL_SECONDS = 5.0
ANNOUNCEMENTS = 12
TIMEOUTS = {"connect": 0.5, "read": 1.0, "write": 1.0, "pool": 1.0}


class PeerAnnouncement(msgspec.Struct, frozen=True, array_like=True):
    """What a replica announces.

    Attributes:
        address: Where it is reached.
        issued_at: Unix seconds.
        others: The replicas that announced themselves to it lately.
    """

    address: str
    issued_at: int
    others: tuple[str, ...] = ()


class PeerSet:
    """The replicas that DNS names, and those that announced themselves lately."""

    def __init__(
        self,
        directory: PeerDirectory,
        signer: TokenSigner,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._directory = directory
        self._signer = signer
        self._clock = clock
        self._announced: dict[IpAddress, float] = {}
        self._reported: dict[IpAddress, float] = {}

    async def includes(self, address: IpAddress) -> bool:
        """Return whether a replica has this address now."""
        if address in self._find_recent(self._announced, self._reported):
            return True
        return await self._directory.includes(address)

    def _find_recent(self, *books: dict[IpAddress, float]) -> set[IpAddress]:
        oldest = self._clock() - FRESH_SECONDS
        return {one for book in books for one, at in book.items() if at > oldest}

    def build_announcement(self) -> str:
        """Return this replica's signed announcement."""
        own = str(self._signer.identity.address)
        others = tuple(str(address) for address in self._find_recent(self._announced))
        announcement = PeerAnnouncement(own, self._signer.now(), others)
        return self._signer.sign_announcement(msgspec.json.encode(announcement))

    async def record(self, text: str) -> bool:
        """Record an announcement; False if no replica of this hub wrote it just now."""
        payload = await self._signer.find_announcement(text)
        if payload is None:
            return False
        announcement = msgspec.json.decode(payload, type=PeerAnnouncement)
        if abs(self._signer.now() - announcement.issued_at) > FRESH_SECONDS:
            return False
        self._announced[parse_address(announcement.address)] = self._clock()
        # not repeated to others: two replicas would remind each other without end
        self._reported.update(
            (parse_address(name), self._clock()) for name in announcement.others
        )
        return True

    async def find_others(self) -> set[IpAddress]:
        """Return all other replicas that are known."""
        recent = self._find_recent(self._announced, self._reported)
        recent |= await self._directory.list_addresses()
        return recent - {self._signer.identity.address}


class PeerAnnouncer:
    """Announces a new replica to its peers."""

    def __init__(self, peer_set: PeerSet, port: int, dialing: Dialing = PLAIN) -> None:
        self._peer_set = peer_set
        self._port = port
        self._dialing = dialing
        self._pool = dialing.open_pool(max_keepalive_connections=0)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Announce before the block begins, and for a minute within it."""
        async with self._pool:
            await self.announce_to_all()
            repeating = asyncio.create_task(keep_going(self._repeat, "announcements"))
            try:
                yield
            finally:
                repeating.cancel()
                await asyncio.gather(repeating, return_exceptions=True)

    async def _repeat(self) -> None:
        for _ in range(ANNOUNCEMENTS):
            await asyncio.sleep(INTERVAL_SECONDS)
            await self.announce_to_all()

    async def announce_to_all(self) -> None:
        """Announce to every peer, including those learned from replies."""
        announced_to: set[IpAddress] = set()
        while new := await self._peer_set.find_others() - announced_to:
            announced_to |= new
            await asyncio.gather(*(self._announce_to(address) for address in new))

    async def _announce_to(self, address: IpAddress) -> None:
        """Announce to one peer; one that is not up yet announces itself later."""
        host = str(address).encode()
        announcement = self._peer_set.build_announcement().encode()
        try:
            response = await self._pool.request(
                "POST",
                httpcore2.URL(
                    scheme=self._dialing.scheme,
                    host=host,
                    port=self._port,
                    target=Endpoint.HTTP.encode(),
                ),
                headers=[
                    (b"host", b"localhost"),
                    (b"content-length", b"0"),
                    (ANNOUNCEMENT_HEADER, announcement),
                ],
                extensions={"timeout": TIMEOUTS, **self._dialing.extensions},
            )
        except (
            httpcore2.NetworkError,
            httpcore2.ProtocolError,
            httpcore2.TimeoutException,
        ):
            return
        answer = find_header(response.headers, ANNOUNCEMENT_HEADER)
        if answer is not None:
            await self._peer_set.record(answer)
