"""Caddy and nginx as examples/behind-proxy configures them, as processes.

Only what a reader inserts is replaced: addresses of nodes, certificate and port. What
the files do not set is set here: a proxy's own timeouts, to a second, not minutes.
"""

import re
import ssl
import subprocess
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import NamedTuple

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from websockets.asyncio.client import ClientConnection, connect

from tests.support.system_packages import ensure_packages
from tools.ports import reserve_ports
from tools.project import EXAMPLES

HOST = "mcp.example.com"
FOLDER = EXAMPLES / "behind-proxy"
NODES = re.compile(r"10\.0\.0\.\d:30801")

NGINX = """
pid {folder}/nginx.pid;
error_log stderr warn;
events {{}}
http {{
  access_log off;
  proxy_read_timeout 1s;
  proxy_send_timeout 1s;
  keepalive_timeout 1s;
  client_body_temp_path {folder}/body;
  proxy_temp_path {folder}/proxy;
  fastcgi_temp_path {folder}/fastcgi;
  uwsgi_temp_path {folder}/uwsgi;
  scgi_temp_path {folder}/scgi;
  include {folder}/mcphub.conf;
  server {{
    listen 127.0.0.1:{bare};
    location / {{ proxy_pass http://mcphub; proxy_set_header Host $http_host; }}
  }}
}}
"""
CADDY = """
{{
  admin off
  auto_https disable_redirects
  https_port {port}
  servers {{
    timeouts {{
      read_body 1s
      read_header 1s
      idle 1s
    }}
  }}
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


class Started(NamedTuple):
    """A proxy: the port of the shipped file, and of one without any settings."""

    kind: str
    port: int
    bare: int


def build_nginx(folder: Path, nodes: str, port: int, bare: int) -> list[str]:
    text = NODES.sub(nodes, (FOLDER / "nginx.conf").read_text())
    text = text.replace("listen 443 ssl", f"listen 127.0.0.1:{port} ssl")
    text = text.replace(f"/etc/nginx/{HOST}.", f"{folder}/host.")
    (folder / "mcphub.conf").write_text(text)
    (folder / "nginx.conf").write_text(NGINX.format(folder=folder, bare=bare))
    return ["nginx", "-c", str(folder / "nginx.conf"), "-g", "daemon off;"]


def build_caddy(folder: Path, nodes: str, port: int, _: int) -> list[str]:
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


PACKAGES = {"caddy": {"caddy": "caddy"}, "nginx": {"nginx": "nginx-light"}}
BUILDERS = {"caddy": build_caddy, "nginx": build_nginx}


@contextmanager
def running_proxy(kind: str, folder: Path, address: str) -> Iterator[Started]:
    """Run a proxy with TLS in front of the address of a hub."""
    ensure_packages(**PACKAGES[kind])
    port, bare = reserve_ports(2)
    write_certificate(folder)
    with running(BUILDERS[kind](folder, address, port, bare), folder):
        yield Started(kind, port, bare)


def trust_anything() -> ssl.SSLContext:
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return context


@asynccontextmanager
async def open_websocket(
    port: int, headers: Mapping[str, str]
) -> AsyncIterator[ClientConnection]:
    """Open a WebSocket through a proxy."""
    async with connect(
        f"wss://{HOST}/mcp",
        host="127.0.0.1",
        port=port,
        ssl=trust_anything(),
        additional_headers=dict(headers),
        subprotocols=["mcp"],  # type: ignore[list-item]
        proxy=None,
    ) as connection:
        yield connection
