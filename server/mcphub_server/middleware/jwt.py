"""JSON Web Tokens: signed by the issuer's current keys, made for this hub, not over.

FastMCP's verifier takes one algorithm, believes tokens without an end and ignores
`nbf`, so this is joserfc with those closed. Keys are fetched when first needed and
again when a token names an unknown one (the issuer has rotated), at most every few
seconds, because anybody can send a token with a made-up key id; old keys stay in use
while the issuer cannot be reached.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import httpx2
import structlog
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import JWKRegistry, KeySet
from mcp.server.auth.provider import AccessToken

from mcphub_server.config.hub import JwtConfig

ALGORITHMS = [
    *("RS256", "RS384", "RS512", "PS256", "PS384", "PS512"),
    *("ES256", "ES384", "ES512", "Ed25519"),
]
"""Asymmetric ones only: with a shared secret anybody who verifies could sign."""

KEY_TYPES = frozenset({"RSA", "EC", "OKP"})
CLOCK_SKEW_SECONDS = 30
REFETCH_SECONDS = 5.0
KEYS_KEPT_SECONDS = 600.0
FETCH_TIMEOUT_SECONDS = 5.0
MAX_TOKEN_BYTES = 16_384

log = structlog.get_logger(__name__)

FetchKeys = Callable[[], Awaitable[Mapping[str, Any]]]


class JwtVerifier:
    """Verifies bearer tokens of one issuer."""

    def __init__(
        self,
        config: JwtConfig,
        fetch: FetchKeys | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._fetch = fetch or build_fetch(config.jwks_uri)
        self._clock = clock
        self._keys = KeySet([])
        self._fetched_at = float("-inf")
        self._tried_at = float("-inf")
        self._lock = asyncio.Lock()
        self._claims = jwt.JWTClaimsRegistry(
            leeway=CLOCK_SKEW_SECONDS,
            iss={"essential": True, "value": config.issuer},
            aud={"essential": True, "value": config.audience},
            exp={"essential": True},
        )

    async def verify_token(self, token: str) -> AccessToken | None:
        """Return whose token this is, or None if it is not to be believed."""
        if len(token) > MAX_TOKEN_BYTES:
            return None
        if self._clock() - self._fetched_at >= KEYS_KEPT_SECONDS:
            await self._refresh()
        claims = self._read(token)
        if claims is None and await self._refresh():
            claims = self._read(token)
        return build_access(claims) if claims is not None else None

    async def count_keys(self) -> int:
        """Return how many keys the issuer offers now; for a check."""
        await self._refresh()
        return len(self._keys.keys)

    def _read(self, token: str) -> dict[str, Any] | None:
        """Return the claims of a valid token; whatever is wrong with one is its own."""
        try:
            claims = jwt.decode(token, self._keys, algorithms=ALGORITHMS).claims
            self._claims.validate(claims)
        except (JoseError, ValueError, TypeError, KeyError, AttributeError):
            return None
        return dict(claims)

    async def _refresh(self) -> bool:
        """Fetch the issuer's keys unless that was tried just now; tell whether it was.

        Raises nothing: the keys known so far stay.
        """
        before = self._fetched_at
        async with self._lock:
            if self._fetched_at != before:
                return True
            if self._clock() - self._tried_at < REFETCH_SECONDS:
                return False
            self._tried_at = self._clock()
            try:
                found = parse_keys(await self._fetch())
            except (httpx2.HTTPError, ValueError, TimeoutError) as error:
                log.warning("signing keys not fetched", error=type(error).__name__)
                return False
            self._keys = found
            self._fetched_at = self._clock()
            return True


def build_fetch(uri: str) -> FetchKeys:
    """Return how to get the issuer's keys."""

    async def fetch() -> Mapping[str, Any]:
        async with httpx2.AsyncClient(timeout=FETCH_TIMEOUT_SECONDS) as client:
            response = await client.get(uri)
            response.raise_for_status()
            body: Mapping[str, Any] = response.json()
            return body

    return fetch


def parse_keys(body: object) -> KeySet:
    """Return the keys that this server understands (RFC 7517, section 5)."""
    listed = body.get("keys") if isinstance(body, Mapping) else None
    if not isinstance(listed, list):
        raise ValueError("not a JSON Web Key Set")  # noqa: TRY004 -- bad input
    keys = []
    for entry in listed:
        if not isinstance(entry, dict) or entry.get("kty") not in KEY_TYPES:
            continue
        if entry.get("use", "sig") != "sig":
            continue
        try:
            keys.append(JWKRegistry.import_key(entry))
        except (JoseError, ValueError, TypeError, KeyError):
            continue
    return KeySet(keys)


def build_access(claims: Mapping[str, Any]) -> AccessToken:
    """Return the caller: the client, and the user on whose behalf it calls."""
    subject = str(claims.get("sub") or "")
    client = str(claims.get("client_id") or claims.get("azp") or subject or "unknown")
    return AccessToken(
        token="",
        client_id=client,
        scopes=find_scopes(claims),
        subject=subject or None,
        claims={"iss": claims.get("iss")},
    )


def find_scopes(claims: Mapping[str, Any]) -> list[str]:
    """Return the granted scopes, from `scope` (RFC 8693) or `scp`."""
    for name in ("scope", "scp"):
        value = claims.get(name)
        if isinstance(value, str):
            return value.split()
        if isinstance(value, list):
            return [str(item) for item in value]
    return []
