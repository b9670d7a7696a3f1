"""The claims of a JWT decide on every replica, by every way to it.

Both tenants are the same client with the same subject: only the claim `tenant` differs,
so nothing but the claim can keep their rows apart.
"""

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest
import pytest_asyncio
from fastmcp import Client
from fastmcp.client.transports import SSETransport, StreamableHttpTransport

from tests.support import postgres
from tests.support.hub import write_files
from tests.support.issuer import ISSUER, key_server, sign
from tests.support.postgres import PostgresServer
from tests.support.replicas.fork_server import ForkServer, open_fork_server
from tests.support.replicas.hub import MODES, ReplicatedHub, running_hub
from tests.support.tenants import TENANTS
from tests.support.websocket_client import WebSocketTransport

pytestmark = pytest.mark.asyncio(loop_scope="module")

ALL = "SELECT id, tenant FROM desk.tickets ORDER BY id"
ACCEPT = "application/json, text/event-stream"


def token(tenant: str, **claims: Any) -> str:
    return sign(tenant=tenant, department="unnamed", exp=4_000_000_000, **claims)


def bearer(tenant: str, **claims: Any) -> dict[str, str]:
    return {"Authorization": f"Bearer {token(tenant, **claims)}"}


@pytest.fixture(scope="module")
def fork_server() -> Iterator[ForkServer]:
    with open_fork_server() as found:
        yield found


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def settings(
    shop: PostgresServer, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[dict[str, Any]]:
    """What replicas before the tenants' database are told."""
    secrets = tmp_path_factory.mktemp("secrets")
    login = {"username": postgres.READER, "password": postgres.READER_PASSWORD}
    write_files(secrets / "db", login)
    async with key_server() as keys:
        jwt = {"issuer": ISSUER, "audience": "hub", "jwksURI": keys}
        database = {
            "host": shop.host,
            "port": shop.port,
            "database": postgres.DATABASE,
            "pool": {"maxSize": 1},
            "identity": {"settings": [{"name": "app.tenant", "fromClaim": "tenant"}]},
        }
        config = {
            "auth": {"type": "JWT", "jwt": jwt},
            "backends": [{"name": "db", "postgres": database}],
        }
        yield {"config": config, "secrets": str(secrets)}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def hub(
    fork_server: ForkServer,
    settings: dict[str, Any],
    tmp_path_factory: pytest.TempPathFactory,
) -> AsyncIterator[ReplicatedHub]:
    folder = tmp_path_factory.mktemp("hub")
    async with running_hub(fork_server, folder, 3, **settings) as found:
        yield found


def connect(hub: ReplicatedHub, transport: str, tenant: str) -> Client[Any]:
    headers = bearer(tenant)
    if transport == "sse":
        return Client(SSETransport(f"{hub.url}/sse", headers=headers))
    mode: Any = MODES.get(transport, "legacy")
    if transport == "websocket":
        return Client(WebSocketTransport(hub.url, headers), mode=mode)
    endpoint = StreamableHttpTransport(f"{hub.url}/mcp", headers=headers)
    return Client(endpoint, mode=mode)


async def query(client: Client[Any], sql: str = ALL, **arguments: Any) -> Any:
    return await client.call_tool_mcp("db_query", {"sql": sql, **arguments})


def find_tenants(answer: Any) -> set[str]:
    assert not answer.is_error, answer.content[0].text
    rows = answer.structured_content["rows"]
    assert len(rows) == 20
    return {row[1] for row in rows}


@pytest.mark.parametrize("transport", ["http", "modern", "sse", "websocket"])
async def test_each_caller_sees_their_own_rows_through_every_replica(
    hub: ReplicatedHub, transport: str
) -> None:
    first, second = (connect(hub, transport, tenant) for tenant in TENANTS)
    async with first, second:
        for _ in hub.replicas:
            answers = await asyncio.gather(query(first), query(second))

            assert [find_tenants(each) for each in answers] == [{t} for t in TENANTS]


async def test_an_adopted_session_has_the_claims_of_its_requests(
    fork_server: ForkServer, settings: dict[str, Any], tmp_path: Path
) -> None:
    async with running_hub(fork_server, tmp_path, 2, **settings) as hub:
        owner, survivor = hub.replicas
        hub.proxy.order[:] = [owner.address]
        first, second = (connect(hub, "http", tenant) for tenant in TENANTS)
        async with first, second:
            before = [await query(first), await query(second)]
            owner.kill()
            await owner.wait()
            await hub.proxy.cut()
            hub.publish([survivor])
            after = [await query(second), await query(first)]

    assert [find_tenants(each) for each in before] == [{t} for t in TENANTS]
    assert [find_tenants(each) for each in after] == [{t} for t in TENANTS[::-1]]


async def test_a_cursor_is_of_no_use_with_other_claims(hub: ReplicatedHub) -> None:
    first, second = (connect(hub, "http", tenant) for tenant in TENANTS)
    async with first, second:
        page = await query(first, limit=5)
        cursor = page.structured_content["next_cursor"]
        stolen = await query(second, limit=5, cursor=cursor)
        own = await query(first, limit=5, cursor=cursor)

    assert stolen.meta["mcphub/error"]["kind"] == "bad_argument"
    assert {row[1] for row in own.structured_content["rows"]} == {TENANTS[0]}


def build_call(tool: str, **arguments: str) -> dict[str, Any]:
    params = {"name": tool, "arguments": arguments}
    return {"jsonrpc": "2.0", "id": 7, "method": "tools/call", "params": params}


REVISION = {"Accept": ACCEPT, "MCP-Protocol-Version": "2025-11-25"}


async def open_session(http: httpx2.AsyncClient, url: str, tenant: str) -> str:
    params = {
        "protocolVersion": "2025-11-25",
        "capabilities": {},
        "clientInfo": {"name": "test", "version": "1"},
    }
    opening = {"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": params}
    answer = await http.post(f"{url}/mcp", json=opening, headers=bearer(tenant))
    session: str = answer.headers["mcp-session-id"]
    return session


@pytest.mark.parametrize("at", [0, 1], ids=["at its owner", "at another replica"])
async def test_a_session_gives_its_holder_no_claims(
    hub: ReplicatedHub, at: int
) -> None:
    """With the same client and other claims, the claims of the request count."""
    owner, other = hub.at(hub.replicas[0]), hub.at(hub.replicas[at])
    async with httpx2.AsyncClient(headers=REVISION, timeout=100) as http:
        session = await open_session(http, owner, "acme")
        headers = bearer("globex") | {"Mcp-Session-Id": session}
        answer = await http.post(
            f"{other}/mcp", json=build_call("db_query", sql=ALL), headers=headers
        )

    assert '"acme"' not in answer.text
    assert '"globex"' in answer.text


async def test_a_session_is_of_no_use_to_another_client(hub: ReplicatedHub) -> None:
    url = hub.at(hub.replicas[0])
    async with httpx2.AsyncClient(headers=REVISION, timeout=100) as http:
        session = await open_session(http, url, "acme")
        headers = bearer("acme", sub="user-2") | {"Mcp-Session-Id": session}
        answer = await http.post(
            f"{url}/mcp", json=build_call("db_query", sql=ALL), headers=headers
        )

    assert answer.status_code == 404
    assert "acme" not in answer.text


@pytest.mark.parametrize("at", [0, 1], ids=["at its owner", "at another replica"])
async def test_an_event_id_is_of_no_use_with_other_claims(
    hub: ReplicatedHub, at: int, tmp_path: Path
) -> None:
    owner, other = hub.at(hub.replicas[0]), hub.at(hub.replicas[at])
    gate = str(tmp_path / "gate")
    call = build_call("gated", gate=gate)
    async with httpx2.AsyncClient(headers=REVISION, timeout=100) as http:
        session = {"Mcp-Session-Id": await open_session(http, owner, "acme")}
        headers = bearer("acme") | session
        async with http.stream(
            "POST", f"{owner}/mcp", json=call, headers=headers
        ) as stream:
            event = await find_line(stream.aiter_lines(), "id: ")
            again = session | {"Last-Event-ID": event}
            stolen = await http.get(f"{other}/mcp", headers=bearer("globex") | again)
            hub.open_gate(gate)
            own = await http.get(f"{other}/mcp", headers=bearer("acme") | again)

    assert stolen.status_code == 404
    assert own.status_code == 200
    assert '"result"' in own.text


async def test_claims_that_the_configuration_does_not_name_are_not_kept(
    hub: ReplicatedHub,
) -> None:
    """2 KiB bound what is kept, so a large claim of another name changes nothing."""
    large = bearer("acme", groups=["x" * 100] * 100)
    async with Client(
        StreamableHttpTransport(f"{hub.url}/mcp", headers=large)
    ) as client:
        answers = [await query(client) for _ in hub.replicas]

    assert [find_tenants(each) for each in answers] == [{"acme"}] * 3


async def test_a_stream_gives_its_requests_no_claims(hub: ReplicatedHub) -> None:
    """A request that is posted to a stream of /sse has the claims of its own token."""
    base = hub.at(hub.replicas[0])
    async with (
        httpx2.AsyncClient(timeout=100) as http,
        http.stream("GET", f"{base}/sse", headers=bearer("acme")) as stream,
    ):
        lines = stream.aiter_lines()
        endpoint = await find_line(lines, "data: ")
        for other in (base, hub.at(hub.replicas[1])):
            url = other + endpoint
            await http.post(
                url, json=build_call("db_query", sql=ALL), headers=bearer("globex")
            )
            answer = json.loads(await find_line(lines, "data: "))

            assert find_kind(answer) == {"globex"}


def find_kind(answer: dict[str, Any]) -> set[str]:
    rows = answer["result"]["structuredContent"]["rows"]
    return {row[1] for row in rows}


async def find_line(lines: AsyncIterator[str], start: str) -> str:
    async for line in lines:
        if line.startswith(start):
            return line.removeprefix(start)
    raise AssertionError(f"the stream ended before a line with {start!r}")
