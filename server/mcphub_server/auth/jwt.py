"""JSON Web Tokens: signed by the issuer's current keys, made for this hub, not expired.

FastMCP's verifier takes one algorithm, accepts tokens without expiry and ignores
`nbf`, so this uses joserfc and checks all of it. Keys are fetched when first needed and
again when a token names an unknown one (the issuer has rotated), one fetch at a time
and at most every few seconds, because any client can send a token with a made-up key
id. Old keys stay in use while newer ones are fetched, and while the issuer cannot be
reached: a caller whose token has a known key never waits for the issuer.
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
"""Asymmetric ones only: with a shared secret, every verifier could sign."""

KEY_TYPES = frozenset({"RSA", "EC", "OKP"})
CLOCK_SKEW_SECONDS = 30
REFETCH_SECONDS = 5.0
"""From the end of one fetch to the next, so that a slow issuer gets a pause, too."""

KEYS_KEPT_SECONDS = 600.0
"""Then a call starts the next fetch, and uses the old keys meanwhile."""

FETCH_TIMEOUT_SECONDS = 5.0
MAX_TOKEN_BYTES = 16_384

BAD_TOKEN = (JoseError, ValueError, TypeError, KeyError, AttributeError)
"""What joserfc raises for an invalid token."""

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
        self._fetching: asyncio.Task[bool] | None = None
        self._claims = jwt.JWTClaimsRegistry(
            leeway=CLOCK_SKEW_SECONDS,
            iss={"essential": True, "value": config.issuer},
            aud={"essential": True, "value": config.audience},
            exp={"essential": True},
        )

    async def verify_token(self, token: str) -> AccessToken | None:
        """Return the caller of a token, or None if it is not valid."""
        if len(token) > MAX_TOKEN_BYTES:
            return None
        if self._clock() - self._fetched_at >= KEYS_KEPT_SECONDS:
            self._find_fetch()
        claims = self._read(token)
        if claims is None and await self._refresh():
            claims = self._read(token)
        if claims is None or not self._accepts(claims):
            return None
        return build_access(claims)

    async def count_keys(self) -> int:
        """Return how many keys the issuer offers now; for a check."""
        await self._refresh()
        return len(self._keys.keys)

    def _read(self, token: str) -> dict[str, Any] | None:
        """Return the claims that a known key has signed, None if none has."""
        try:
            return dict(jwt.decode(token, self._keys, algorithms=ALGORITHMS).claims)
        except BAD_TOKEN:
            return None

    def _accepts(self, claims: dict[str, Any]) -> bool:
        """Return whether a token is the issuer's, for this hub, and not expired."""
        try:
            self._claims.validate(claims)
        except BAD_TOKEN:
            return False
        return True

    async def _refresh(self) -> bool:
        """Wait for the issuer's keys unless just asked for; return whether they came.

        All callers share one fetch, which goes on if they leave.
        """
        fetching = self._find_fetch()
        return fetching is not None and await asyncio.shield(fetching)

    def _find_fetch(self) -> asyncio.Task[bool] | None:
        """Return the fetch under way, or a new one; None soon after the last.

        It ends by itself within FETCH_TIMEOUT_SECONDS, and with the loop.
        """
        if self._fetching is None:
            if self._clock() - self._tried_at < REFETCH_SECONDS:
                return None
            self._fetching = asyncio.create_task(self._fetch_keys())
        return self._fetching

    async def _fetch_keys(self) -> bool:
        """Fetch the issuer's keys; return whether that succeeded.

        Raises nothing: the keys known so far stay.
        """
        try:
            async with asyncio.timeout(FETCH_TIMEOUT_SECONDS):
                self._keys = parse_keys(await self._fetch())
        except Exception as error:  # noqa: BLE001 -- no caller may wait for this task
            log.warning("signing keys not fetched", error=type(error).__name__)
            return False
        finally:
            self._tried_at = self._clock()
            self._fetching = None
        self._fetched_at = self._tried_at
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
