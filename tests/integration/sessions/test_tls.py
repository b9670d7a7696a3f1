"""Replicas of a hub with TLS forward to each other, whose addresses no name covers."""

import asyncio
import ssl
from contextlib import asynccontextmanager

import httpx2
import pytest

from tests.integration.sessions.test_any_replica import (
    ACCEPT,
    ANN,
    OPENING,
    WHERE,
)
from tests.support.certificates import issue
from tests.support.replicas.hub import running_hub


@pytest.fixture
async def tls_hub(fork_server, tmp_path):
    """Two replicas over TLS, each with a certificate of its own."""
    issue().write(tmp_path / "tls")
    config = {"tls": {"enabled": True}}
    async with running_hub(fork_server, tmp_path, 2, config=config) as hub:
        yield hub


@pytest.fixture
async def http():
    careless = ssl.create_default_context()
    careless.check_hostname, careless.verify_mode = False, ssl.CERT_NONE
    async with httpx2.AsyncClient(
        headers=ANN | ACCEPT, verify=careless, timeout=100
    ) as client:
        yield client


async def begin(http, base):
    opened = await http.post(f"{base}/mcp", json=OPENING)
    session = {"mcp-session-id": opened.headers["mcp-session-id"]}
    note = {"jsonrpc": "2.0", "method": "notifications/initialized"}
    await http.post(f"{base}/mcp", json=note, headers=session)
    return session


@asynccontextmanager
async def listening_over_tls(serve, address, port, folder):
    """Listen with the certificate of the hub's clients."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "tls" / "tls.crt", folder / "tls" / "tls.key")
    async with await asyncio.start_server(serve, address, port, ssl=context):
        yield


def at(hub, number):
    return f"https://{hub.replicas[number].address}:{hub.port}"


async def test_the_owner_answers_through_another_replica(tls_hub, http):
    session = await begin(http, at(tls_hub, 0))

    answer = await http.post(f"{at(tls_hub, 1)}/mcp", json=WHERE, headers=session)

    assert "uid-0" in answer.text


async def test_replicas_forward_while_their_certificates_differ(tls_hub, http):
    """A renewal reaches one replica minutes before the other."""
    session = await begin(http, at(tls_hub, 0))

    issue().write(tls_hub.folder / "tls")
    answers = [
        await http.post(f"{at(tls_hub, 1)}/mcp", json=WHERE, headers=session)
        for _ in range(3)
    ]

    assert all("uid-0" in answer.text for answer in answers)


async def test_nothing_is_forwarded_to_a_server_without_the_hubs_key(tls_hub, http):
    """What has the address of a replica now, but not its key, gets no request."""
    owner = tls_hub.replicas[0]
    session = await begin(http, at(tls_hub, 0))
    owner.kill()
    await owner.wait()
    received = []

    async def serve(reader, writer):
        received.append(await reader.read(1))
        writer.close()

    async with listening_over_tls(serve, owner.address, tls_hub.port, tls_hub.folder):
        answer = await http.post(f"{at(tls_hub, 1)}/mcp", json=WHERE, headers=session)

    assert "uid-1" in answer.text  # it took the session over
    assert b"".join(received) == b""


async def test_a_replica_drains_while_clients_are_connected(tls_hub, http):
    await begin(http, at(tls_hub, 0))
    replica = tls_hub.replicas[0]

    replica.terminate()

    assert await replica.wait() == 0
