"""examples/behind-proxy: Caddy and nginx with TLS in front of a hub, files as shipped.

Only what a reader inserts is replaced: the addresses of nodes, certificate and port.
"""

import asyncio
import json
import re
import ssl
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx2
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from fastmcp import Client
from fastmcp.client.transports import SSETransport, StreamableHttpTransport
from websockets.asyncio.client import connect

from tests.support.hub import TOKEN, HubFiles, HubProcess, hub_process
from tests.support.system_packages import ensure_packages
from tests.support.waiting import wait_until
from tools.ports import reserve_port
from tools.project import EXAMPLES

HOST = "mcp.example.com"
FOLDER = EXAMPLES / "behind-proxy"
NODES = re.compile(r"10\.0\.0\.\d:30801")
HEADERS = {"Authorization": f"Bearer {TOKEN}"}
CLIENT = "127.0.0.9"

NGINX = """
pid {folder}/nginx.pid;
error_log stderr warn;
events {{}}
http {{
  access_log off;
  client_body_temp_path {folder}/body;
  proxy_temp_path {folder}/proxy;
  fastcgi_temp_path {folder}/fastcgi;
  uwsgi_temp_path {folder}/uwsgi;
  scgi_temp_path {folder}/scgi;
  include {folder}/mcphub.conf;
}}
"""
CADDY = """
{{
  admin off
  auto_https disable_redirects
  https_port {port}
  storage file_system {folder}
}}
{site}
"""


def write_certificate(folder: Path) -> None:
    """Sign a certificate for the host by itself."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, HOST)])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(
            x509.SubjectAlternativeName([x509.DNSName(HOST)]), critical=False
        )
        .sign(key, hashes.SHA256())
    )
    encoding = serialization.Encoding.PEM
    (folder / "host.crt").write_bytes(certificate.public_bytes(encoding))
    (folder / "host.key").write_bytes(
        key.private_bytes(
            encoding,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )


def build_nginx(folder: Path, nodes: str, port: int) -> list[str]:
    text = NODES.sub(nodes, (FOLDER / "nginx.conf").read_text())
    text = text.replace("listen 443 ssl", f"listen 127.0.0.1:{port} ssl")
    text = text.replace(f"/etc/nginx/{HOST}.", f"{folder}/host.")
    (folder / "mcphub.conf").write_text(text)
    (folder / "nginx.conf").write_text(NGINX.format(folder=folder))
    return ["nginx", "-c", str(folder / "nginx.conf"), "-g", "daemon off;"]


def build_caddy(folder: Path, nodes: str, port: int) -> list[str]:
    text = NODES.sub(nodes, (FOLDER / "Caddyfile").read_text())
    tls = f"tls {folder}/host.crt {folder}/host.key"
    site = text.replace(f"{HOST} {{", f"{HOST} {{\n\tbind 127.0.0.1\n\t{tls}", 1)
    whole = CADDY.format(folder=folder, port=port, site=site)
    (folder / "Caddyfile").write_text(whole)
    config = ("--config", str(folder / "Caddyfile"), "--adapter", "caddyfile")
    return ["caddy", "run", *config]


@contextmanager
def running(command: list[str], folder: Path) -> Iterator[None]:
    with (
        (folder / "proxy.log").open("wb") as log,
        subprocess.Popen(
            command,
            stdout=log,
            stderr=log,
            env={"PATH": "/usr/sbin:/usr/bin", "HOME": str(folder)},
        ) as process,
    ):
        try:
            yield
        finally:
            process.terminate()


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
def proxy(
    request: pytest.FixtureRequest,
    hub: HubProcess,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[int]:
    """The port of a proxy that terminates TLS."""
    ensure_packages(caddy="caddy", nginx="nginx-light")
    folder, port = tmp_path_factory.mktemp("proxy"), reserve_port()
    write_certificate(folder)
    build = {"caddy": build_caddy, "nginx": build_nginx}[request.param]
    with running(build(folder, f"127.0.0.1:{hub.port}", port), folder):
        yield port


def trust_anything() -> ssl.SSLContext:
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return context


class ToProxy(httpx2.AsyncHTTPTransport):
    """Reaches the proxy under its name from an address of the client's own."""

    def __init__(self, port: int) -> None:
        super().__init__(verify=trust_anything(), local_address=CLIENT)
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


async def test_a_websocket_passes(proxy: int) -> None:
    await wait_for_proxy(proxy)
    async with connect(
        f"wss://{HOST}/mcp",
        host="127.0.0.1",
        port=proxy,
        ssl=trust_anything(),
        additional_headers=HEADERS,
        subprotocols=["mcp"],  # type: ignore[list-item]
        proxy=None,
    ) as connection:
        await connection.send('{"jsonrpc": "2.0", "id": 1, "method": "ping"}')
        answer = json.loads(await connection.recv())

    assert answer["result"] == {}


async def test_a_stream_passes_as_it_comes(proxy: int) -> None:
    await wait_for_proxy(proxy)
    async with (
        httpx2.AsyncClient(transport=ToProxy(proxy), headers=HEADERS) as http,
        http.stream("GET", f"https://{HOST}/sse") as stream,
        asyncio.timeout(60),
    ):
        first = await anext(stream.aiter_raw())

    assert b"event: endpoint" in first
