"""Where the SDK's access token carries the claims that are kept.

The SDK reads `iss` from an access token's claims, so what this server keeps has a key
of its own, which no token can bring.
"""

from typing import Any

from mcp.server.auth.provider import AccessToken

from mcphub_server.web.claims import NO_CLAIMS, Claims

KEPT = "mcphub/claims"


def store_claims(claims: Claims, issuer: str | None = None) -> dict[str, Any]:
    """Return the claims of an access token."""
    return {**({"iss": issuer} if issuer else {}), KEPT: claims.text}


def load_claims(access: AccessToken) -> Claims:
    """Return the claims that were kept of a token."""
    text = (access.claims or {}).get(KEPT)
    return Claims(text) if isinstance(text, str) else NO_CLAIMS
