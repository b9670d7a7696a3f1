"""What a Secret with a certificate is worth to a server. Pure, and keeps no key."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_pem_private_key,
)


class Flaw(StrEnum):
    """Why no server can use a certificate and its key."""

    CERTIFICATE = "tls.crt is no certificate in PEM"
    KEY = "tls.key is no private key in PEM without a passphrase"
    MISMATCH = "tls.key does not fit the certificate in tls.crt"


@dataclass(frozen=True, slots=True)
class Certificate:
    """What was found; without a flaw, it has both times."""

    flaw: Flaw | None = None
    not_before: datetime | None = None
    not_after: datetime | None = None


def parse_certificate(chain: bytes, key: bytes) -> Certificate:
    """Look at a chain, its server's certificate first, and at the key of that one."""
    try:
        leaf = x509.load_pem_x509_certificates(chain)[0]
        public = leaf.public_key()
    except (ValueError, IndexError, UnsupportedAlgorithm):
        return Certificate(Flaw.CERTIFICATE)
    shape = Encoding.DER, PublicFormat.SubjectPublicKeyInfo
    try:
        # the servers check the numbers of an RSA key, which takes a tenth of a second
        private = load_pem_private_key(
            key, password=None, unsafe_skip_rsa_key_validation=True
        )
    except (ValueError, TypeError, UnsupportedAlgorithm):
        return Certificate(Flaw.KEY)
    if public.public_bytes(*shape) != private.public_key().public_bytes(*shape):
        return Certificate(Flaw.MISMATCH)
    return Certificate(None, leaf.not_valid_before_utc, leaf.not_valid_after_utc)
