"""A session over https, with an authority that no browser knows."""

import ipaddress
import json
import ssl
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from mcphub_cli.errors import HubError, UsageError
from mcphub_cli.mcp_session import open_session


class Hub(BaseHTTPRequestHandler):
    """Answers what opens a session."""

    def do_POST(self) -> None:
        size = int(self.headers["Content-Length"])
        message = json.loads(self.rfile.read(size))
        result = {"protocolVersion": "2025-06-18", "tools": []}
        answer = {"jsonrpc": "2.0", "id": message.get("id"), "result": result}
        body = json.dumps(answer).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Keep quiet."""


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file with a certificate of 127.0.0.1, which signs itself, and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "hub")])
    now = datetime.now(UTC)
    address = x509.IPAddress(ipaddress.ip_address("127.0.0.1"))
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([address]), critical=False)
        .sign(key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    written = key.private_bytes(
        pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    path = tmp_path_factory.mktemp("https") / "hub.pem"
    path.write_bytes(made.public_bytes(pem) + written)
    return path


@pytest.fixture(scope="module")
def url(certificate: Path) -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Hub)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"https://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()
    thread.join()


def test_a_hub_of_an_own_authority_is_reached_with_its_file(
    url: str, certificate: Path
) -> None:
    with open_session(url, "token", str(certificate)) as session:
        assert session.list_tools() == []


def test_without_the_file_a_sentence_says_which_option_helps(url: str) -> None:
    with (
        pytest.raises(HubError, match="--certificate-authority") as refused,
        open_session(url, "secret-token"),
    ):
        pass

    assert "certificate is not trusted" in str(refused.value)
    assert "secret-token" not in str(refused.value)


def test_a_forwarded_port_leads_to_a_certificate_of_another_name(url: str) -> None:
    with open_session(url, "token", is_forwarded=True) as session:
        assert session.list_tools() == []


def test_a_file_that_holds_no_certificate_is_refused(url: str, tmp_path: Path) -> None:
    (tmp_path / "empty.pem").write_text("nothing")

    for name in ("empty.pem", "missing.pem"):
        with (
            pytest.raises(UsageError, match="cannot be read, or holds no certificate"),
            open_session(url, "token", str(tmp_path / name)),
        ):
            pass
