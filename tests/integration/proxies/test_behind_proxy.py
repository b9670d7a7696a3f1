"""examples/behind-proxy: Caddy and nginx with TLS in front of a hub, as shipped."""

import asyncio
import json
from collections.abc import Iterator
from contextlib import suppress

import httpx2
import pytest
from fastmcp import Client
from fastmcp.client.transports import SSETransport, StreamableHttpTransport
from websockets.asyncio.client import ClientConnection

from tests.support.hub import TOKEN, HubFiles, HubProcess, hub_process
from tests.support.tls_proxy import (
    HOST,
    Started,
    open_websocket,
    running_proxy,
    trust_anything,
)
from tests.support.waiting import wait_until

HEADERS = {"Authorization": f"Bearer {TOKEN}"}
CLIENT = "127.0.0.9"
NO_IDLE_CONNECTIONS = httpx2.Limits(max_keepalive_connections=0)


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[HubProcess]:
    config = {
        "publicURL": f"https://{HOST}",
        "trustedProxies": ["127.0.0.1"],
        "transports": {"webSocket": {"enabled": True}},
    }
    with hub_process(HubFiles(tmp_path_factory.mktemp("hub"), config)) as hub:
        yield hub


@pytest.fixture(scope="module", params=["caddy", "nginx"])
def started(
    request: pytest.FixtureRequest,
    hub: HubProcess,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Started]:
    """A proxy that terminates TLS."""
    folder = tmp_path_factory.mktemp("proxy")
    with running_proxy(request.param, folder, f"127.0.0.1:{hub.port}") as started:
        yield started


@pytest.fixture(scope="module")
def proxy(started: Started) -> int:
    """The port of the shipped file."""
    return started.port


class ToProxy(httpx2.AsyncHTTPTransport):
    """Reaches the proxy under its name from an address of the client's own.

    No connection waits for a next request, which could meet the proxy closing it.
    """

    def __init__(self, port: int) -> None:
        super().__init__(
            verify=trust_anything(), local_address=CLIENT, limits=NO_IDLE_CONNECTIONS
        )
        self._port = port

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        request.extensions = {**request.extensions, "sni_hostname": HOST}
        request.url = request.url.copy_with(host="127.0.0.1", port=self._port)
        return await super().handle_async_request(request)


def build_client(port: int, path: str) -> Client[object]:
    def build_http(**options: object) -> httpx2.AsyncClient:
        return httpx2.AsyncClient(transport=ToProxy(port), **options)  # type: ignore[arg-type]

    kind = SSETransport if path == "/sse" else StreamableHttpTransport
    transport = kind(
        f"https://{HOST}{path}", headers=HEADERS, httpx_client_factory=build_http
    )
    return Client(transport, timeout=60)


async def wait_for_proxy(port: int) -> None:
    async def answers() -> bool:
        try:
            async with httpx2.AsyncClient(transport=ToProxy(port)) as http:
                return (await http.get(f"https://{HOST}/health")).status_code == 200
        except httpx2.TransportError:
            return False

    await wait_until(answers)


@pytest.mark.parametrize("path", ["/mcp", "/sse"])
async def test_a_call_passes_and_its_audit_line_names_the_client(
    proxy: int, hub: HubProcess, path: str
) -> None:
    await wait_for_proxy(proxy)
    async with build_client(proxy, path) as client:
        answer = await client.call_tool("list_services")

    lines = [json.loads(line) for line in hub.log.read_text().splitlines()]
    calls = [line for line in lines if line["event"] == "tool call"]
    assert not answer.is_error
    assert calls[-1]["address"] == CLIENT


async def ping(connection: ClientConnection) -> None:
    await connection.send('{"jsonrpc": "2.0", "id": 1, "method": "ping"}')
    assert json.loads(await connection.recv())["result"] == {}


async def test_a_websocket_passes(proxy: int) -> None:
    await wait_for_proxy(proxy)
    async with open_websocket(proxy, HEADERS) as connection:
        await ping(connection)


async def wait_for_a_cut(started: Started) -> None:
    """Return once the proxy has ended what its own timeouts end.

    With nginx that is a stream behind no settings. Caddy's end no stream, only a
    connection that waits for the next request.
    """
    async with asyncio.timeout(60):
        if started.kind == "nginx":
            await read_stream(started.bare)
        else:
            await keep_idle(started.port)


async def read_stream(port: int) -> None:
    async with (
        httpx2.AsyncClient(headers=HEADERS, timeout=None) as http,
        http.stream("GET", f"http://127.0.0.1:{port}/sse") as stream,
    ):
        assert stream.status_code == 200
        with suppress(httpx2.RemoteProtocolError):
            async for _ in stream.aiter_raw():
                pass


async def keep_idle(port: int) -> None:
    reader, writer = await asyncio.open_connection(
        "127.0.0.1", port, ssl=trust_anything(), server_hostname=HOST
    )
    writer.write(f"GET /health HTTP/1.1\r\nHost: {HOST}\r\n\r\n".encode())
    assert (await reader.readline()).endswith(b" 200 OK\r\n")
    while await reader.read(65_536):
        pass
    writer.close()


async def test_streams_outlast_the_proxys_own_timeouts(
    started: Started, proxy: int
) -> None:
    await wait_for_proxy(proxy)
    async with (
        build_client(proxy, "/sse") as client,
        open_websocket(proxy, HEADERS) as connection,
    ):
        await wait_for_a_cut(started)

        answer = await client.call_tool("list_services")
        await ping(connection)

    assert not answer.is_error


async def test_a_stream_passes_as_it_comes(proxy: int) -> None:
    await wait_for_proxy(proxy)
    async with (
        httpx2.AsyncClient(transport=ToProxy(proxy), headers=HEADERS) as http,
        http.stream("GET", f"https://{HOST}/sse") as stream,
        asyncio.timeout(60),
    ):
        first = await anext(stream.aiter_raw())

    assert b"event: endpoint" in first
