"""The authenticated caller, in the form that ids, tokens and the SDK share.

A principal is what the token verifier returned, never the token: a session still
belongs to its client after a rotation of tokens.
"""

from dataclasses import dataclass

from mcp.server.auth.middleware.bearer_auth import AuthenticatedUser
from mcp.server.auth.provider import AccessToken, principal_components
from starlette.authentication import AuthCredentials
from starlette.types import Scope

from mcphub_server.auth.claims import load_claims, store_claims
from mcphub_server.sessions.tokens.session_id import digest
from mcphub_server.web.claims import Claims

FORWARDED_TOKEN = "forwarded"  # noqa: S105 -- stands where a token stood


@dataclass(frozen=True, slots=True)
class Principal:
    """An authenticated caller."""

    client_id: str
    issuer: str | None = None
    subject: str | None = None
    scopes: tuple[str, ...] = ()
    claims: str = ""
    """The claims that are kept, as text; not in digests of sessions, which outlive
    the token that began them."""


def find_principal(scope: Scope) -> Principal | None:
    """Return the caller that authentication found; None without authentication."""
    user = scope.get("user")
    if not isinstance(user, AuthenticatedUser):
        return None
    client_id, issuer, subject = principal_components(user.access_token)
    claims = load_claims(user.access_token).text
    return Principal(client_id, issuer, subject, tuple(user.scopes), claims)


def digest_principal(principal: Principal | None) -> bytes:
    """Return the digest that stands in session ids."""
    if principal is None:
        return digest("")
    parts = (principal.client_id, principal.issuer or "", principal.subject or "")
    return digest("\0".join(parts))


def digest_identity(principal: Principal | None) -> bytes:
    """Return the digest of a caller and the claims of this very call."""
    claims = Claims(principal.claims).digest if principal is not None else ""
    known = digest_principal(principal)
    return digest(f"{known.hex()}\0{claims}") if claims else known


def build_token(principal: Principal) -> AccessToken:
    """Return what the token's verifier returned, without the token."""
    return AccessToken(
        token=FORWARDED_TOKEN,
        client_id=principal.client_id,
        scopes=list(principal.scopes),
        subject=principal.subject,
        claims=store_claims(Claims(principal.claims), principal.issuer),
    )


def enter_scope(scope: Scope, principal: Principal | None) -> Scope:
    """Return the scope as authentication would have left it for this principal."""
    if principal is None:
        return scope
    token = build_token(principal)
    user, credentials = AuthenticatedUser(token), AuthCredentials(token.scopes)
    return {**scope, "user": user, "auth": credentials}
