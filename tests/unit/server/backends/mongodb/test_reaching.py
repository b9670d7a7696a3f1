"""Why a member cannot be reached is found by an attempt, not by reading texts."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import asynccontextmanager

import pytest

from mcphub_server.backends.mongodb.connecting import build_client
from mcphub_server.backends.mongodb.reaching import find_member_reason
from mcphub_server.config.backends import MongodbConfig
from mcphub_server.config.secrets import BackendSecrets
from mcphub_server.errors import BackendReason
from tools.ports import reserve_port

Serve = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


async def hang_up(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.read(1)
    writer.transport.abort()


async def keep_silent(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter
) -> None:
    await reader.read()
    writer.transport.abort()


@asynccontextmanager
async def listening(serve: Serve):
    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        yield server.sockets[0].getsockname()[1]


async def find(port: int, *, tls: bool) -> BackendReason:
    config = MongodbConfig.model_validate(
        {
            "uri": f"mongodb://127.0.0.1:{port}",
            "database": "shop",
            "tls": {"enabled": tls},
        }
    )
    client = build_client(config, BackendSecrets())
    try:
        return await find_member_reason(client, config, None)
    finally:
        await client.close()


async def test_a_port_without_a_listener():
    assert await find(reserve_port(), tls=False) is BackendReason.CONNECTION_REFUSED


@pytest.mark.parametrize(
    ("serve", "tls", "reason"),
    [
        pytest.param(hang_up, True, BackendReason.TLS_FAILURE, id="it wants no TLS"),
        pytest.param(hang_up, False, BackendReason.ERROR, id="it ends"),
        pytest.param(keep_silent, True, BackendReason.TIMEOUT, id="it is silent"),
    ],
)
async def test_a_server_that_answers_nothing(serve, tls, reason):
    async with listening(serve) as port:
        assert await find(port, tls=tls) is reason
