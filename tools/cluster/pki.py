"""The certificates of one cluster: one CA, everything else signed by it.

Made with the `cryptography` library in milliseconds. Elliptic curves for
certificates; RSA for service accounts, whose tokens other programs verify.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

VALIDITY = timedelta(days=365)
# A clock that was set back must not make a fresh certificate invalid.
BACKDATE = timedelta(hours=1)

PrivateKey = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey


@dataclass(frozen=True, slots=True)
class Subject:
    """Who a certificate is for: the name, its groups, the addresses it serves."""

    file: str
    name: str
    groups: tuple[str, ...] = ()
    addresses: tuple[str, ...] = ()


def server_addresses(node_ip: str, service_ip: str) -> tuple[str, ...]:
    """Return the names and addresses under which the API server is called."""
    names = ("kubernetes", "kubernetes.default", "kubernetes.default.svc")
    return (*names, "localhost", "127.0.0.1", service_ip, node_ip)


def control_plane_subjects(node_ip: str, service_ip: str) -> tuple[Subject, ...]:
    """Return every certificate that a control plane needs."""
    return (
        Subject(
            "apiserver", "kube-apiserver", (), server_addresses(node_ip, service_ip)
        ),
        Subject("admin", "kubernetes-admin", ("system:masters",)),
        Subject("kubelet-client", "kube-apiserver-kubelet-client", ("system:masters",)),
        Subject("controller-manager", "system:kube-controller-manager"),
        Subject("scheduler", "system:kube-scheduler"),
        Subject("kube-proxy", "system:kube-proxy"),
        Subject("front-proxy-client", "front-proxy-client"),
    )


def node_subject(node: str, address: str) -> Subject:
    """Return the certificate by which a kubelet both calls and serves."""
    return Subject(node, f"system:node:{node}", ("system:nodes",), (node, address))


def _name(common: str, groups: Sequence[str] = ()) -> x509.Name:
    parts = [x509.NameAttribute(NameOID.ORGANIZATION_NAME, group) for group in groups]
    return x509.Name([*parts, x509.NameAttribute(NameOID.COMMON_NAME, common)])


def _alternative(address: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(address))
    except ValueError:
        return x509.DNSName(address)


def _builder(
    subject: x509.Name, issuer: x509.Name, key: PrivateKey
) -> x509.CertificateBuilder:
    """Return what every certificate has, RFC 5280's key identifier included."""
    now = datetime.now(UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - BACKDATE)
        .not_valid_after(now + VALIDITY)
        .add_extension(
            x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False
        )
    )


def _write_key(path: Path, key: PrivateKey) -> None:
    path.touch(mode=0o600)
    path.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )


def _write_certificate(path: Path, certificate: x509.Certificate) -> None:
    path.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))


def _key_usage(*, is_authority: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=True,
        content_commitment=False,
        key_encipherment=True,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=is_authority,
        crl_sign=is_authority,
        encipher_only=False,
        decipher_only=False,
    )


class Authority:
    """A certificate authority that writes what it signs into one folder."""

    def __init__(self, folder: Path) -> None:
        """Make a new authority with its `ca.crt` and `ca.key` in the folder."""
        self._folder = folder
        self._name = _name("mcphub-test-cluster")
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._certificate = (
            _builder(self._name, self._name, self._key)
            .add_extension(
                x509.BasicConstraints(ca=True, path_length=None), critical=True
            )
            .add_extension(_key_usage(is_authority=True), critical=True)
            .sign(self._key, hashes.SHA256())
        )
        _write_key(folder / "ca.key", self._key)
        _write_certificate(folder / "ca.crt", self._certificate)

    def issue(self, subject: Subject) -> None:
        """Write `<file>.key` and `<file>.crt` for a subject."""
        key = ec.generate_private_key(ec.SECP256R1())
        purposes = [ExtendedKeyUsageOID.CLIENT_AUTH, ExtendedKeyUsageOID.SERVER_AUTH]
        builder = (
            _builder(_name(subject.name, subject.groups), self._name, key)
            .add_extension(
                x509.BasicConstraints(ca=False, path_length=None), critical=True
            )
            .add_extension(_key_usage(is_authority=False), critical=True)
            .add_extension(x509.ExtendedKeyUsage(purposes), critical=False)
            .add_extension(
                x509.AuthorityKeyIdentifier.from_issuer_public_key(
                    self._key.public_key()
                ),
                critical=False,
            )
        )
        if subject.addresses:
            names = [_alternative(address) for address in subject.addresses]
            builder = builder.add_extension(
                x509.SubjectAlternativeName(names), critical=False
            )
        _write_key(self._folder / f"{subject.file}.key", key)
        _write_certificate(
            self._folder / f"{subject.file}.crt",
            builder.sign(self._key, hashes.SHA256()),
        )


def write_service_account_keys(folder: Path) -> None:
    """Write the key pair that signs service account tokens."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    _write_key(folder / "service-account.key", key)
    (folder / "service-account.pub").write_bytes(
        key.public_key().public_bytes(
            serialization.Encoding.PEM,
            serialization.PublicFormat.SubjectPublicKeyInfo,
        )
    )


def write_pki(folder: Path, subjects: Sequence[Subject]) -> None:
    """Write a new authority, the subjects' certificates and the account keys."""
    folder.mkdir(parents=True, exist_ok=True)
    authority = Authority(folder)
    for subject in subjects:
        authority.issue(subject)
    write_service_account_keys(folder)
