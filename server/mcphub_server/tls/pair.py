"""A certificate with its key, checked before it is used. Pure.

What a renewal brings is looked at as a whole: a certificate whose key does not fit, or
that clients refuse anyway, must not replace one that works.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_pem_private_key,
)

from mcphub_server.errors import HubError


class Flaw(StrEnum):
    """What is wrong with a pair; for logs and `--check`."""

    MISSING = "a file is missing"
    UNREADABLE_CERTIFICATE = "tls.crt is no certificate in PEM"
    UNREADABLE_KEY = "tls.key is no private key in PEM without a passphrase"
    KEY_MISMATCH = "tls.key does not fit the certificate in tls.crt"
    EXPIRED = "the certificate has expired"
    NOT_YET_VALID = "the certificate is not valid yet"


class PairRefused(HubError):
    """A certificate cannot be used; `flaw` says why."""

    def __init__(self, flaw: Flaw) -> None:
        super().__init__(flaw.value)
        self.flaw = flaw


@dataclass(frozen=True, slots=True)
class Pair:
    """A certificate chain and the private key of its first certificate, in PEM."""

    chain: bytes
    key: bytes = field(repr=False)
    not_before: datetime
    not_after: datetime

    def find_flaw(self, now: datetime) -> Flaw | None:
        """Return why clients refuse the certificate now, if they do."""
        if now < self.not_before:
            return Flaw.NOT_YET_VALID
        return Flaw.EXPIRED if now > self.not_after else None


def parse_pair(chain: bytes, key: bytes) -> Pair:
    """Read a chain and its key.

    Raises:
        PairRefused: No server can use them.
    """
    leaf = parse_chain(chain)[0]
    if find_public_bytes(leaf) != parse_public_bytes(key):
        raise PairRefused(Flaw.KEY_MISMATCH)
    return Pair(chain, key, leaf.not_valid_before_utc, leaf.not_valid_after_utc)


def parse_chain(chain: bytes) -> Sequence[x509.Certificate]:
    """Read certificates, the server's own first; at least one."""
    try:
        found = x509.load_pem_x509_certificates(chain)
        found[0].public_key()
    except (ValueError, IndexError, UnsupportedAlgorithm):
        raise PairRefused(Flaw.UNREADABLE_CERTIFICATE) from None
    return found


def find_public_bytes(certificate: x509.Certificate) -> bytes:
    """Return a certificate's public key, by which peers are recognised."""
    return certificate.public_key().public_bytes(
        Encoding.DER, PublicFormat.SubjectPublicKeyInfo
    )


def parse_public_bytes(key: bytes) -> bytes:
    """Return the public half of a private key in PEM."""
    try:
        private = load_pem_private_key(key, password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise PairRefused(Flaw.UNREADABLE_KEY) from None
    return private.public_key().public_bytes(
        Encoding.DER, PublicFormat.SubjectPublicKeyInfo
    )


def choose_pair(used: Pair | None, found: Pair, now: datetime) -> Pair:
    """Return the better one of the pair in use and the one in the files.

    Without another one, a server with an expired certificate is better than none:
    clients say what is wrong.
    """
    if used is None or found.find_flaw(now) is None:
        return found
    return used if used.find_flaw(now) is None else found
