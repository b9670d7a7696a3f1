"""Which of the issuer's keys may have signed a token. Pure.

A token names its key by `kid`, but need not (RFC 7515, section 4.1.4), and neither need
a key. Without it every key that fits the token's algorithm is tried, a bounded number.
"""

import json
from base64 import urlsafe_b64decode
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from joserfc.jwk import Key

MOST_TRIED = 10
"""Issuers publish two or three keys of a kind."""

KINDS: Mapping[str, tuple[str, str | None]] = {
    **dict.fromkeys(("RS256", "RS384", "RS512"), ("RSA", None)),
    **dict.fromkeys(("PS256", "PS384", "PS512"), ("RSA", None)),
    "ES256": ("EC", "P-256"),
    "ES384": ("EC", "P-384"),
    "ES512": ("EC", "P-521"),
    "Ed25519": ("OKP", "Ed25519"),
}
"""The kind of key and the curve of each algorithm: asymmetric ones only, since with a
shared secret every verifier could sign."""


@dataclass(frozen=True, slots=True)
class TokenHead:
    """What a token says of its signature; nothing of it is verified."""

    algorithm: str
    key_id: str | None


def parse_head(token: str) -> TokenHead:
    """Read a token's header; raises ValueError or TypeError without one."""
    first, *rest = token.split(".")
    if len(rest) != 2:  # noqa: PLR2004 -- payload and signature
        raise ValueError("not three parts")
    head = json.loads(urlsafe_b64decode(first + "=" * (-len(first) % 4)))
    if not isinstance(head, dict):
        raise TypeError("not an object")
    algorithm, key_id = head.get("alg"), head.get("kid")
    if not isinstance(algorithm, str) or not isinstance(key_id, str | None):
        raise TypeError("not texts")
    return TokenHead(algorithm, key_id)


def find_candidates(head: TokenHead, keys: Iterable[Key]) -> list[Key]:
    """Return the keys to try: those of the token's key id, or else those without one.

    A token without a key id may be of any key.
    """
    fitting = [key for key in keys if fits(key, head.algorithm)]
    if head.key_id is not None:
        named = [key for key in fitting if key.kid == head.key_id]
        fitting = named or [key for key in fitting if key.kid is None]
    return fitting[:MOST_TRIED]


def fits(key: Key, algorithm: str) -> bool:
    """Tell whether a key is of an algorithm's kind, and not meant for another."""
    kind, curve = KINDS[algorithm]
    return (
        key.key_type == kind
        and (curve is None or key.get("crv") == curve)
        and key.get("alg", algorithm) == algorithm
    )
