"""A hub that serves its clients over TLS."""

import asyncio
import ssl
from contextlib import asynccontextmanager

import httpx2
from fastmcp import Client
from fastmcp.client.transports import StreamableHttpTransport
from websockets.asyncio.client import connect

from mcphub_cli.mcp_session import open_session
from mcphub_server.tls import serving
from tests.support.certificates import HOUR, NOW, YEAR, issue
from tests.support.hub import TOKEN, HubFiles, hub_in_loop
from tests.support.waiting import wait_until

TLS = {
    "backends": [],
    "tls": {"enabled": True},
    "transports": {"webSocket": {"enabled": True}},
    "limits": {"requestsPerSecond": 10_000, "burst": 10_000},
}
HEADERS = {"Authorization": f"Bearer {TOKEN}"}
EXPIRY = "mcphub_certificate_expiration_timestamp_seconds"


def trust(*issued):
    """Return a client's context that believes these certificates, by name."""
    context = ssl.create_default_context()
    context.load_verify_locations(cadata=b"".join(i.chain for i in issued).decode())
    return context


@asynccontextmanager
async def tls_hub(tmp_path, monkeypatch, **settings):
    monkeypatch.setattr(serving, "REREAD_SECONDS", 0.05)
    files = HubFiles(tmp_path, {**TLS, **settings})
    async with hub_in_loop(files, tls_dir=tmp_path / "tls") as hub:
        yield hub


def client(hub, context):
    transport = StreamableHttpTransport(
        f"https://localhost:{hub.port}/mcp",
        headers=HEADERS,
        httpx_client_factory=lambda **options: httpx2.AsyncClient(
            **{**options, "verify": context}
        ),
    )
    return Client(transport)


def uses(hub, issued):
    return hub.hub.certificate.pair.chain == issued.chain


async def is_ready(hub):
    async with httpx2.AsyncClient() as http:
        return (await http.get(f"{hub.management}/health/ready")).is_success


async def read_metric(hub, name):
    async with httpx2.AsyncClient() as http:
        lines = (await http.get(f"{hub.management}/metrics")).text.splitlines()
    return next(float(line.split()[1]) for line in lines if line.startswith(name + " "))


async def test_a_client_calls_a_tool_over_tls(tmp_path, monkeypatch):
    issued = issue()
    issued.write(tmp_path / "tls")

    async with tls_hub(tmp_path, monkeypatch) as hub:
        async with client(hub, trust(issued)) as mcp:
            result = await mcp.call_tool("health_check")
        expires = await read_metric(hub, EXPIRY)

        assert result.structured_content["status"] == "healthy"
        assert expires == (NOW + YEAR).timestamp()
        assert await is_ready(hub)  # the management port speaks plain HTTP


async def test_a_websocket_opens_over_tls(tmp_path, monkeypatch):
    issued = issue()
    issued.write(tmp_path / "tls")

    async with (
        tls_hub(tmp_path, monkeypatch) as hub,
        connect(
            f"wss://localhost:{hub.port}/mcp",
            ssl=trust(issued),
            subprotocols=["mcp"],
            additional_headers=HEADERS,
        ) as socket,
    ):
        assert socket.subprotocol == "mcp"


async def test_no_call_fails_while_certificates_are_renewed(tmp_path, monkeypatch):
    """Some calls use kept connections, others a new one each."""
    every = [issue() for _ in range(4)]
    every[0].write(tmp_path / "tls")
    context, done, statuses = trust(*every), asyncio.Event(), []

    async with tls_hub(tmp_path, monkeypatch) as hub:

        async def call(*, keeps: bool) -> None:
            limits = httpx2.Limits(max_keepalive_connections=None if keeps else 0)
            base = f"https://localhost:{hub.port}"
            async with httpx2.AsyncClient(
                verify=context, limits=limits, timeout=100
            ) as http:
                while not done.is_set():
                    statuses.append((await http.get(f"{base}/health")).status_code)

        async with asyncio.TaskGroup() as group:
            for keeps in (True, False, False):
                group.create_task(call(keeps=keeps))
            for issued in every[1:]:
                issued.write(tmp_path / "tls")
                await wait_until(lambda i=issued: uses(hub, i))
                seen = len(statuses)
                await wait_until(lambda s=seen: len(statuses) > s + 10)
            done.set()

    assert set(statuses) == {200}


async def test_a_hub_is_ready_once_it_has_a_certificate(tmp_path, monkeypatch):
    async with tls_hub(tmp_path, monkeypatch) as hub:
        assert not await is_ready(hub)
        assert await read_metric(hub, EXPIRY) == 0

        issued = issue()
        issued.write(tmp_path / "tls")
        await wait_until(lambda: is_ready(hub))

        async with client(hub, trust(issued)) as mcp:
            assert await mcp.call_tool("health_check")


async def test_an_expired_certificate_is_the_clients_decision(tmp_path, monkeypatch):
    issue(NOW - 2 * HOUR, NOW - HOUR).write(tmp_path / "tls")
    careless = ssl.create_default_context()
    careless.check_hostname, careless.verify_mode = False, ssl.CERT_NONE

    async with tls_hub(tmp_path, monkeypatch) as hub, client(hub, careless) as mcp:
        assert await mcp.call_tool("health_check")


async def test_the_command_line_reaches_it_through_a_forwarded_port(
    tmp_path, monkeypatch
):
    """Whose address no certificate has to name."""
    issue().write(tmp_path / "tls")

    def list_tools(url: str) -> list[str]:
        with open_session(url, TOKEN, is_forwarded=True) as session:
            return [tool["name"] for tool in session.list_tools()]

    async with tls_hub(tmp_path, monkeypatch) as hub:
        url = f"https://127.0.0.1:{hub.port}"
        assert "health_check" in await asyncio.to_thread(list_tools, url)


async def test_plain_text_gets_no_answer(tmp_path, monkeypatch):
    issue().write(tmp_path / "tls")

    async with tls_hub(tmp_path, monkeypatch) as hub:
        reader, writer = await asyncio.open_connection("127.0.0.1", hub.port)
        writer.write(b"GET /health HTTP/1.1\r\nhost: localhost\r\n\r\n")
        answer = await reader.read()
        writer.close()

    assert b"HTTP" not in answer
