"""A TLS handshake that is cancelled leaves no socket behind."""

import asyncio
import gc
import warnings
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import httpx2
import pytest

from mcphub_server.auth.jwks import build_fetch
from mcphub_server.backends.kubernetes import connecting as kubernetes
from mcphub_server.backends.qdrant import connecting as qdrant
from mcphub_server.backends.qdrant.embedding import EmbeddingClient
from mcphub_server.config.backends import EmbeddingConfig, QdrantConfig
from mcphub_server.config.secrets import BackendSecrets
from tests.support.waiting import wait_until

Ask = Callable[[str], Awaitable[object]]


class SilentServer:
    """Accepts connections and says nothing."""

    def __init__(self) -> None:
        self.begun = asyncio.Event()
        self.closed = asyncio.Event()
        self.url = ""

    async def serve(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        await reader.read(1)  # the client's greeting
        self.begun.set()
        with suppress(ConnectionError):
            while await reader.read(65_536):
                pass
        self.closed.set()
        writer.close()


@asynccontextmanager
async def silent_server() -> AsyncIterator[SilentServer]:
    silent = SilentServer()
    server = await asyncio.start_server(silent.serve, "127.0.0.1", 0)
    async with server:
        silent.url = f"https://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        yield silent


async def ask_kubernetes(url: str) -> object:
    async with kubernetes.build_client(url, BackendSecrets) as client:
        return await client.get("/")


async def ask_qdrant(url: str) -> object:
    client = qdrant.build_client(QdrantConfig(url=url), BackendSecrets)
    try:
        return await client.service_api.root()
    finally:
        await client.aclose()


async def ask_embedding(url: str) -> object:
    client = EmbeddingClient("q", EmbeddingConfig(url=url, model="m"), Path("nowhere"))
    try:
        return await client.embed("text")
    finally:
        await client.close()


async def ask_issuer(url: str) -> object:
    return await build_fetch(url)()


@pytest.mark.parametrize("ask", [ask_kubernetes, ask_qdrant, ask_embedding, ask_issuer])
async def test_a_cancelled_handshake_closes_its_connection(ask: Ask) -> None:
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        async with silent_server() as server:
            asking = asyncio.ensure_future(ask(server.url))
            await server.begun.wait()

            asking.cancel()

            with pytest.raises(asyncio.CancelledError):
                await asking
            await wait_until(server.closed.is_set)
        del asking
        gc.collect()

    left = [each for each in caught if issubclass(each.category, ResourceWarning)]
    assert [str(each.message) for each in left if "unclosed" in str(each.message)] == []


async def test_a_handshake_that_fails_is_told_as_before() -> None:
    async def hang_up(
        _reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        writer.close()

    server = await asyncio.start_server(hang_up, "127.0.0.1", 0)
    async with server:
        url = f"https://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        with pytest.raises(httpx2.ConnectError):
            await ask_kubernetes(url)
