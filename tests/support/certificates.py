"""Certificates for tests, in the shape of a Secret that cert-manager makes."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from uuid import uuid4

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
)

NOW = datetime.now(UTC).replace(microsecond=0)
YEAR = timedelta(days=365)
HOUR = timedelta(hours=1)


@dataclass(frozen=True)
class Issued:
    """A certificate that is its own authority, and its key, both in PEM."""

    chain: bytes
    key: bytes = field(repr=False)

    @property
    def files(self) -> dict[str, bytes]:
        """The data of the Secret."""
        return {"tls.crt": self.chain, "tls.key": self.key}

    def write(self, folder: Path) -> None:
        """Write or replace the files one after the other."""
        folder.mkdir(parents=True, exist_ok=True)
        for name, content in self.files.items():
            fresh = folder / f".{name}"
            fresh.write_bytes(content)
            fresh.rename(folder / name)


def issue(
    begin: datetime = NOW - HOUR,
    end: datetime = NOW + YEAR,
    *names: str,
    name: str = "mcp.example.com",
) -> Issued:
    """Make a certificate for loopback and some names."""
    key = ec.generate_private_key(ec.SECP256R1())
    # clients that trust several tell them apart by the subject
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, str(uuid4()))])
    alternatives = [
        *(x509.DNSName(each) for each in ("localhost", name, *names)),
        x509.IPAddress(ip_address("127.0.0.1")),
    ]
    certificate = (
        x509.CertificateBuilder(subject, subject, key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(begin)
        .not_valid_after(end)
        .add_extension(x509.SubjectAlternativeName(alternatives), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    return Issued(certificate.public_bytes(Encoding.PEM), private)
