"""How the REST client is made from configuration and secrets.

Proxies and certificates named by the environment are not used: a hub connects to what
its configuration says. The key is read for each request, so that a rotated one counts
at once.
"""

import asyncio
import ssl
from collections.abc import AsyncGenerator, Callable
from typing import Any

import httpx
from pydantic import SecretStr

from mcphub_server.backends.qdrant.bounded import BoundedTransport
from mcphub_server.backends.qdrant.rest import AsyncApis
from mcphub_server.config.backends import QdrantConfig
from mcphub_server.config.secrets import BackendSecrets
from mcphub_server.web.handshakes import close_cancelled_handshakes

CONNECT_TIMEOUT_SECONDS = 5.0
READ_TIMEOUT_SECONDS = 45.0
POOL_SIZE = 20
IDLE_SECONDS = 30.0
LIMITS = httpx.Limits(max_connections=POOL_SIZE, keepalive_expiry=IDLE_SECONDS)
TIMEOUT = httpx.Timeout(READ_TIMEOUT_SECONDS, connect=CONNECT_TIMEOUT_SECONDS)

ReadKey = Callable[[], SecretStr | None]


class FileKeyAuth(httpx.Auth):
    """Puts a key that is read from a file into a header of each request."""

    def __init__(self, header: str, prefix: str, read_key: ReadKey) -> None:
        self._header, self._prefix, self._read_key = header, prefix, read_key

    async def async_auth_flow(
        self, request: httpx.Request
    ) -> AsyncGenerator[httpx.Request, httpx.Response]:
        """Add the key as it is now."""
        key = await asyncio.to_thread(self._read_key)
        if key is not None:
            request.headers[self._header] = self._prefix + key.get_secret_value()
        yield request


def build_client(
    config: QdrantConfig, read_secrets: Callable[[], BackendSecrets]
) -> AsyncApis[Any]:
    """Make the client; it connects at the first use.

    Raises:
        ssl.SSLError: The authority's certificate cannot be read.
    """
    return AsyncApis(
        host=config.url,
        auth=FileKeyAuth("api-key", "", lambda: read_secrets().api_key),
        transport=build_transport(read_secrets()),
        timeout=TIMEOUT,
        trust_env=False,
    )


def build_transport(secrets: BackendSecrets | None) -> BoundedTransport:
    """Make a transport that trusts the given authority, else the usual ones."""
    verify: ssl.SSLContext | bool = True
    if secrets is not None and secrets.ca_path is not None:
        verify = ssl.create_default_context(cafile=str(secrets.ca_path))
    transport = BoundedTransport(verify=verify, limits=LIMITS, trust_env=False)
    close_cancelled_handshakes(transport)
    return transport
