"""New replicas make themselves known, because names in DNS appear late.

DNS answers are cached in the cluster for up to half a minute; a new replica gets its
first streams sooner, and a message for one of them may reach a replica that has not
heard of it. So a replica greets those that it finds before it serves, and for a
minute more. A greeting is signed, and its answer names who else has greeted lately:
replicas that start together find each other through the old ones.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import httpcore2
import msgspec

from mcphub_server.sessions.peers.dns import PeerDirectory
from mcphub_server.sessions.tokens.session_id import IpAddress, parse_address
from mcphub_server.sessions.tokens.signer import TokenSigner
from mcphub_server.web.asgi import find_header
from mcphub_server.web.headers import ANNOUNCEMENT_HEADER

PATH = "/mcp"
FRESH_SECONDS = 15.0
"""How long a greeting is good: much less than it takes to give an address anew."""

INTERVAL_SECONDS = 5.0
ANNOUNCEMENTS = 12
TIMEOUTS = {"connect": 0.5, "read": 1.0, "write": 1.0, "pool": 1.0}
ANNOUNCED_STATUS = 204


class PeerAnnouncement(msgspec.Struct, frozen=True, array_like=True):
    """A replica's name card.

    Attributes:
        address: Where it is reached.
        issued_at: Unix seconds.
        others: Whom it has heard of lately.
    """

    address: str
    issued_at: int
    others: tuple[str, ...] = ()


class PeerSet:
    """Who is a replica: whom DNS names, and who has greeted a moment ago."""

    def __init__(
        self,
        directory: PeerDirectory,
        signer: TokenSigner,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._directory = directory
        self._signer = signer
        self._clock = clock
        self._heard: dict[IpAddress, float] = {}
        self._told: dict[IpAddress, float] = {}

    async def includes(self, address: IpAddress) -> bool:
        """Say whether a replica has this address now."""
        if address in self._find_recent(self._heard, self._told):
            return True
        return await self._directory.includes(address)

    def _find_recent(self, *books: dict[IpAddress, float]) -> set[IpAddress]:
        oldest = self._clock() - FRESH_SECONDS
        return {one for book in books for one, at in book.items() if at > oldest}

    def build_announcement(self) -> str:
        """Return this replica's signed greeting."""
        own = str(self._signer.identity.address)
        others = tuple(str(address) for address in self._find_recent(self._heard))
        greeting = PeerAnnouncement(own, self._signer.now(), others)
        return self._signer.sign_announcement(msgspec.json.encode(greeting))

    async def hear(self, text: str) -> bool:
        """Take a greeting; False if no replica of this hub wrote it just now."""
        payload = await self._signer.find_announcement(text)
        if payload is None:
            return False
        greeting = msgspec.json.decode(payload, type=PeerAnnouncement)
        if abs(self._signer.now() - greeting.issued_at) > FRESH_SECONDS:
            return False
        self._heard[parse_address(greeting.address)] = self._clock()
        # not passed on: else two replicas would keep each other's memory alive
        self._told.update(
            (parse_address(name), self._clock()) for name in greeting.others
        )
        return True

    async def find_others(self) -> set[IpAddress]:
        """Return all other replicas that are known."""
        recent = self._find_recent(self._heard, self._told)
        recent |= await self._directory.list_addresses()
        return recent - {self._signer.identity.address}


class PeerAnnouncer:
    """Makes a new replica known."""

    def __init__(self, peer_set: PeerSet, port: int) -> None:
        self._peer_set = peer_set
        self._port = port
        self._pool = httpcore2.AsyncConnectionPool(max_keepalive_connections=0)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Greet before the block begins, and for a minute within it."""
        async with self._pool:
            await self.announce_to_all()
            going_on = asyncio.create_task(self._go_on())
            try:
                yield
            finally:
                going_on.cancel()
                await asyncio.gather(going_on, return_exceptions=True)

    async def _go_on(self) -> None:
        for _ in range(ANNOUNCEMENTS):
            await asyncio.sleep(INTERVAL_SECONDS)
            await self.announce_to_all()

    async def announce_to_all(self) -> None:
        """Greet everybody, those included of whom the others tell."""
        greeted: set[IpAddress] = set()
        while new := await self._peer_set.find_others() - greeted:
            greeted |= new
            await asyncio.gather(*(self._announce_to(address) for address in new))

    async def _announce_to(self, address: IpAddress) -> None:
        """Greet one replica; one that does not answer will greet us when it starts."""
        host = str(address).encode()
        greeting = self._peer_set.build_announcement().encode()
        try:
            response = await self._pool.request(
                "POST",
                httpcore2.URL(
                    scheme=b"http", host=host, port=self._port, target=PATH.encode()
                ),
                headers=[
                    (b"host", b"localhost"),
                    (b"content-length", b"0"),
                    (ANNOUNCEMENT_HEADER, greeting),
                ],
                extensions={"timeout": TIMEOUTS},
            )
        except (
            httpcore2.NetworkError,
            httpcore2.ProtocolError,
            httpcore2.TimeoutException,
        ):
            return
        answer = find_header(response.headers, ANNOUNCEMENT_HEADER)
        if answer is not None:
            await self._peer_set.hear(answer)
