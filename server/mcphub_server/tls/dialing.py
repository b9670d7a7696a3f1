"""Connections to other replicas, over TLS where the hub has it.

httpcore verifies certificates by name and authority, of which a replica has neither:
the key is checked after the handshake, before the first byte of a request.
"""

import ssl
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import httpcore2

from mcphub_server.tls.contexts import build_client_context
from mcphub_server.tls.peers import PEER_NAME, AcceptedKeys, is_peer

Option = (
    tuple[int, int, int]
    | tuple[int, int, bytes | bytearray]
    | tuple[int, int, None, int]
)


@dataclass(frozen=True, slots=True)
class Dialing:
    """How replicas are dialled.

    Attributes:
        accepted: The keys of the hub; None without TLS.
    """

    accepted: AcceptedKeys | None = None

    @property
    def scheme(self) -> bytes:
        """The scheme of the URLs of replicas."""
        return b"http" if self.accepted is None else b"https"

    @property
    def extensions(self) -> Mapping[str, Any]:
        """What httpcore has to know with each request."""
        return {} if self.accepted is None else {"sni_hostname": PEER_NAME}

    def open_pool(self, **options: Any) -> httpcore2.AsyncConnectionPool:
        """Make a pool of connections to replicas."""
        if self.accepted is None:
            return httpcore2.AsyncConnectionPool(**options)
        return httpcore2.AsyncConnectionPool(
            ssl_context=build_client_context(),
            network_backend=PeerBackend(self.accepted),
            **options,
        )


PLAIN = Dialing()


class PeerBackend(httpcore2.AsyncNetworkBackend):
    """Opens connections, and closes those whose other end is no replica."""

    def __init__(self, accepted: AcceptedKeys) -> None:
        self._accepted = accepted
        self._backend = httpcore2.AnyIOBackend()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109 -- httpcore's
        local_address: str | None = None,
        socket_options: Iterable[Option] | None = None,
    ) -> httpcore2.AsyncNetworkStream:
        """Connect; the stream checks the other end when TLS begins."""
        stream = await self._backend.connect_tcp(
            host, port, timeout, local_address, socket_options
        )
        return PeerStream(stream, self._accepted)


class PeerStream(httpcore2.AsyncNetworkStream):
    """A connection on which nothing but TLS with a replica begins."""

    def __init__(
        self, stream: httpcore2.AsyncNetworkStream, accepted: AcceptedKeys
    ) -> None:
        self._stream = stream
        self._accepted = accepted

    async def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,  # noqa: ASYNC109 -- httpcore's
    ) -> httpcore2.AsyncNetworkStream:
        """Shake hands.

        Raises:
            httpcore2.ConnectError: The other end is no replica of this hub.
        """
        stream = await self._stream.start_tls(ssl_context, server_hostname, timeout)
        ended = stream.get_extra_info("ssl_object")
        if not is_peer(ended.getpeercert(binary_form=True), self._accepted()):
            await stream.aclose()
            raise httpcore2.ConnectError("the other end is no replica of this hub")
        return stream

    async def aclose(self) -> None:
        """Close the connection, on which TLS has not begun."""
        await self._stream.aclose()
