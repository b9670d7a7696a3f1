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
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import structlog
from joserfc import jwt
from joserfc.errors import (
    BadSignatureError,
    ClaimError,
    ExpiredTokenError,
    InvalidKeyIdError,
    JoseError,
    KeyParameterError,
    MissingClaimError,
    MissingKeyError,
    UnsupportedAlgorithmError,
)
from joserfc.jwk import Key
from mcp.server.auth.provider import AccessToken

from mcphub_server.auth.claims import store_claims
from mcphub_server.auth.jwks import (
    FETCH_TIMEOUT_SECONDS,
    FetchKeys,
    build_fetch,
    parse_keys,
)
from mcphub_server.auth.key_choice import KINDS, find_candidates, parse_head
from mcphub_server.auth.refusals import CredentialRefused, Refusal
from mcphub_server.auth.report import ALL_WELL, AuthProblem, AuthReport
from mcphub_server.background import end_if_cancelled
from mcphub_server.config.hub import JwtConfig
from mcphub_server.web.claims import keep_claims

CLOCK_SKEW_SECONDS = 30
REFETCH_SECONDS = 5.0
"""From the end of one fetch to the next, so that a slow issuer gets a pause, too."""

KEYS_KEPT_SECONDS = 600.0
"""Then a call starts the next fetch, and uses the old keys meanwhile."""

MAX_TOKEN_BYTES = 16_384
LONGEST_NAME = 256

BAD_TOKEN = (
    *(JoseError, ValueError, TypeError, KeyError, AttributeError),
    *(OverflowError, RecursionError),
)
"""What joserfc and the JSON module raise for an invalid token."""

BY_ERROR: Mapping[type[Exception], Refusal] = {
    BadSignatureError: Refusal.SIGNATURE,
    InvalidKeyIdError: Refusal.KEY,
    KeyParameterError: Refusal.KEY,
    MissingKeyError: Refusal.KEY,
    UnsupportedAlgorithmError: Refusal.ALGORITHM,
}
BY_CLAIM: Mapping[str, Refusal] = {
    "iss": Refusal.ISSUER,
    "aud": Refusal.AUDIENCE,
    "nbf": Refusal.NOT_YET_VALID,
    "iat": Refusal.NOT_YET_VALID,
}
MAY_HAVE_ROTATED = frozenset({Refusal.KEY, Refusal.SIGNATURE})
SLASH_HINT = "the issuers differ by a slash at their end"

log = structlog.get_logger(__name__)


class JwtVerifier:
    """Verifies bearer tokens of one issuer.

    Args:
        config: The issuer.
        audiences: A token must name one of these.
        fetch: Gets the issuer's keys.
        clock: Of the pauses between fetches, in seconds.
        wanted: The claims to keep.
    """

    def __init__(
        self,
        config: JwtConfig,
        audiences: Sequence[str],
        fetch: FetchKeys | None = None,
        clock: Callable[[], float] = time.monotonic,
        wanted: Callable[[], Iterable[str]] = tuple,
    ) -> None:
        if not all(audiences) or not audiences:
            # the library checks no audience then, and believes every token
            raise ValueError("a verifier needs the audiences of its tokens")
        self._config = config
        self._wanted = wanted
        self._fetch = fetch or build_fetch(config.jwks_uri)
        self._clock = clock
        self._keys: tuple[Key, ...] = ()
        self._fetched_at = float("-inf")
        self._tried_at = float("-inf")
        self._fetching: asyncio.Task[bool] | None = None
        self._claims = jwt.JWTClaimsRegistry(
            leeway=CLOCK_SKEW_SECONDS,
            iss={"essential": True, "value": config.issuer},
            aud={"essential": True, "values": [*audiences]},
            exp={"essential": True},
        )

    async def verify(self, token: str) -> AccessToken:
        """Return the caller of a token; raises CredentialRefused."""
        if len(token) > MAX_TOKEN_BYTES:
            raise CredentialRefused(Refusal.MALFORMED)
        if self._clock() - self._fetched_at >= KEYS_KEPT_SECONDS:
            self._find_fetch()
        claims = await self._read_or_refetch(token)
        self._check(claims)
        return build_access(claims, self._wanted())

    async def follow(self, notify: Callable[[], None]) -> None:
        """Fetch keys until the first have come; then call `notify`."""
        while not self._keys:
            await self._refresh()
            if not self._keys:
                await asyncio.sleep(REFETCH_SECONDS)
        notify()

    def report(self) -> AuthReport:
        """Return whether tokens can be checked."""
        if self._keys:
            return ALL_WELL
        return AuthReport(
            AuthProblem.KEYS_MISSING,
            "no signing key was fetched from auth.jwt.jwksURI yet, so every token is "
            "refused; check the URL, DNS, egress and the issuer's certificate",
        )

    async def count_keys(self) -> int:
        """Return how many keys the issuer offers now; for a check."""
        await self._refresh()
        return len(self._keys)

    async def _read_or_refetch(self, token: str) -> dict[str, Any]:
        """Return the claims; fetch keys if the issuer may have rotated them."""
        try:
            return self._read(token)
        except CredentialRefused as refused:
            if refused.reason not in MAY_HAVE_ROTATED or not await self._refresh():
                if not self._keys and refused.reason in MAY_HAVE_ROTATED:
                    raise CredentialRefused(Refusal.KEYS_MISSING) from None
                raise
        return self._read(token)

    def _read(self, token: str) -> dict[str, Any]:
        """Return the claims that a known key has signed."""
        reason = Refusal.KEY
        for key in find_keys(token, self._keys):
            try:
                return dict(jwt.decode(token, key, algorithms=[*KINDS]).claims)
            except BAD_TOKEN as error:
                reason = find_reason(error)
            if reason is not Refusal.SIGNATURE:
                break
        raise CredentialRefused(reason)

    def _check(self, claims: dict[str, Any]) -> None:
        """Refuse a token of another issuer, for another hub, or out of its time."""
        try:
            self._claims.validate(claims)
        except ClaimError as error:
            raise explain(error, claims, self._config) from None
        except BAD_TOKEN:
            raise CredentialRefused(Refusal.CLAIMS) from None

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
        except (Exception, asyncio.CancelledError) as error:  # noqa: BLE001 -- no caller may wait for this task
            end_if_cancelled()  # a client's own ends the fetch, not the callers
            log.warning(
                "signing keys not fetched",
                issuer=self._config.issuer,
                error=type(error).__name__,
            )
            return False
        finally:
            self._tried_at = self._clock()
            self._fetching = None
        self._fetched_at = self._tried_at
        return True


def find_keys(token: str, keys: Iterable[Key]) -> list[Key]:
    """Return the keys that may have signed a token; raises CredentialRefused."""
    try:
        head = parse_head(token)
    except BAD_TOKEN:
        raise CredentialRefused(Refusal.MALFORMED) from None
    if head.algorithm not in KINDS:
        raise CredentialRefused(Refusal.ALGORITHM)
    return find_candidates(head, keys)


def find_reason(error: Exception) -> Refusal:
    """Return why a token cannot be read."""
    for kind, reason in BY_ERROR.items():
        if isinstance(error, kind):
            return reason
    return Refusal.MALFORMED


def explain(
    error: ClaimError, claims: Mapping[str, Any], config: JwtConfig
) -> CredentialRefused:
    """Return the refusal of a claim: its name, never its value."""
    names = tuple(error.claim.split(","))
    if isinstance(error, ExpiredTokenError):
        return CredentialRefused(Refusal.EXPIRED, names)
    if isinstance(error, MissingClaimError):
        return CredentialRefused(Refusal.CLAIMS, names)
    reason = BY_CLAIM.get(error.claim, Refusal.CLAIMS)
    is_slash = reason is Refusal.ISSUER and differs_by_slash(claims, config)
    return CredentialRefused(reason, names, SLASH_HINT if is_slash else "")


def differs_by_slash(claims: Mapping[str, Any], config: JwtConfig) -> bool:
    """Return whether only a slash separates a token's issuer from the hub's."""
    issuer = claims.get("iss")
    return isinstance(issuer, str) and issuer.rstrip("/") == config.issuer.rstrip("/")


def build_access(claims: Mapping[str, Any], wanted: Iterable[str] = ()) -> AccessToken:
    """Return the caller: the client, and the user on whose behalf it calls.

    Of the claims, only those are kept that the configuration names.
    """
    subject = find_name(claims, "sub")
    client = find_name(claims, "client_id") or find_name(claims, "azp")
    return AccessToken(
        token="",
        client_id=client or subject or "unknown",
        scopes=find_scopes(claims),
        subject=subject or None,
        claims=store_claims(keep_claims(claims, wanted), claims.get("iss")),
    )


def find_name(claims: Mapping[str, Any], claim: str) -> str:
    """Return a claim that names a caller; empty without one.

    Raises CredentialRefused for what is no name: two callers must never become one.
    """
    value = claims.get(claim)
    if value is None:
        return ""
    is_text = isinstance(value, str) and value.isprintable()
    if not is_text or len(value) > LONGEST_NAME:
        raise CredentialRefused(Refusal.CLAIMS, (claim,))
    return str(value)


def find_scopes(claims: Mapping[str, Any]) -> list[str]:
    """Return the granted scopes, from `scope` (RFC 8693) or `scp`."""
    for name in ("scope", "scp"):
        value = claims.get(name)
        if isinstance(value, str):
            return value.split()
        if isinstance(value, list):
            return [item for item in value if isinstance(item, str)]
    return []
