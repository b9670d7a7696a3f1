"""How replicas recognise each other by TLS: by a key that only they can derive.

A replica dials another one by its pod's address, which no certificate names, and a
renewed certificate reaches replicas up to two minutes apart. So replicas ask, by the
name that they call (SNI), for a certificate of their own: its key is derived from the
hub's signing key, which every replica has, and rotates with it. Each accepts the keys
derived from the current and the previous signing key, as it accepts their signatures.
"""

import hashlib
import hmac
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import lru_cache

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
)
from cryptography.x509.oid import NameOID

from mcphub_server.tls.pair import Pair, find_public_bytes, parse_public_bytes

PEER_NAME = "peer.mcphub.internal"
"""What a replica calls another one in the handshake; clients never do."""

PURPOSE = b"mcphub peer certificate v1"
ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
"""Of the curve P-256: a private key is a number below it, and not zero."""

LIFETIME = timedelta(days=3650)
"""No replica looks at it: the rotation of the signing key ends a certificate."""

AcceptedKeys = Callable[[], tuple[bytes, ...]]


@lru_cache(maxsize=4)
def build_peer_pair(signing_key: bytes) -> Pair:
    """Make the certificate that replicas with this key show each other."""
    private = derive_private_key(signing_key)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, PEER_NAME)])
    now = datetime.now(UTC)
    begin, end = now - LIFETIME, now + LIFETIME
    certificate = (
        x509.CertificateBuilder(name, name, private.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(begin)
        .not_valid_after(end)
        .sign(private, hashes.SHA256())
    )
    key = private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    return Pair(certificate.public_bytes(Encoding.PEM), key, begin, end)


def derive_private_key(signing_key: bytes) -> ec.EllipticCurvePrivateKey:
    """Derive the key of a certificate from a signing key."""
    seed = hmac.digest(signing_key, PURPOSE, hashlib.sha512)
    number = int.from_bytes(seed, "big") % (ORDER - 1) + 1
    return ec.derive_private_key(number, ec.SECP256R1())


def is_peer(certificate: bytes | None, accepted: tuple[bytes, ...]) -> bool:
    """Return whether a certificate in DER is one of a replica of this hub."""
    if certificate is None:
        return False
    try:
        shown = find_public_bytes(x509.load_der_x509_certificate(certificate))
    except ValueError:
        return False
    return shown in {derive_public_bytes(key) for key in accepted}


@lru_cache(maxsize=4)
def derive_public_bytes(signing_key: bytes) -> bytes:
    """Return the public half of the key that belongs to a signing key."""
    return parse_public_bytes(build_peer_pair(signing_key).key)
