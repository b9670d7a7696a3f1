"""Authenticates callers of the MCP endpoints by a bearer token.

One ASGI layer instead of the four that the SDK stacks, because the wording of a
refusal matters: with static tokens the challenge is a bare `Bearer`. Any other one
sends Claude Code, Copilot CLI and Cursor into an OAuth flow in which they drop the
header that their user configured.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field, replace

import msgspec
from mcp.server.auth.middleware.bearer_auth import AuthenticatedUser
from mcp.server.auth.provider import AccessToken, TokenVerifier
from starlette.authentication import AuthCredentials
from starlette.datastructures import Headers
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from mcphub_server.web.caller import Client, current_client, enter_client
from mcphub_server.web.request import get_request
from mcphub_server.web.subprotocols import find_offered_token, without_tokens

STILL_VALID = "mcphub.still_valid"
"""The scope's key, on a WebSocket, for a function that verifies its token again."""


@dataclass(frozen=True, slots=True)
class AuthPolicy:
    """How callers authenticate.

    Attributes:
        verifier: Turns a token into a client; None admits every caller.
        required_scopes: What a token must grant.
        metadata_urls: RFC 9728 metadata to name in challenges, by the path of the
            request without a slash at its end; only for JWT.
    """

    verifier: TokenVerifier | None
    required_scopes: tuple[str, ...] = ()
    metadata_urls: Mapping[str, str] = field(default_factory=dict)


class AuthMiddleware:
    """Passes on requests with a valid token, and enters the caller into the scope."""

    def __init__(
        self, app: ASGIApp, policy: AuthPolicy, count_failure: Callable[[str], None]
    ) -> None:
        self._app = app
        self._policy = policy
        self._count_failure = count_failure

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        verifier = self._policy.verifier
        if verifier is None or get_request(scope).is_forwarded:
            await self._app(scope, receive, send)
            return
        token = find_token(scope)
        if not token:
            await self._refuse("missing", scope, receive, send)
            return
        access = await verifier.verify_token(token)
        if access is None:
            await self._refuse("invalid", scope, receive, send)
            return
        if not set(self._policy.required_scopes) <= set(access.scopes):
            await self._refuse("scope", scope, receive, send)
            return
        enter(scope, access)
        if get_request(scope).is_websocket:
            scope = without_tokens(scope)
            scope[STILL_VALID] = build_check(verifier, token)
        await self._app(scope, receive, send)

    async def _refuse(
        self, reason: str, scope: Scope, receive: Receive, send: Send
    ) -> None:
        self._count_failure(reason)
        response = build_refusal(reason, self._policy, scope["path"])
        await response(scope, receive, send)


def find_token(scope: Scope) -> str:
    """Return the bearer token of a request, empty without one."""
    token = find_bearer(Headers(scope=scope).get("authorization", ""))
    if not token and get_request(scope).is_websocket:
        return find_offered_token(scope["subprotocols"])
    return token


def build_check(verifier: TokenVerifier, token: str) -> Callable[[], Awaitable[bool]]:
    """Return a function that says whether a token is still valid."""

    async def is_valid() -> bool:
        return await verifier.verify_token(token) is not None

    return is_valid


def find_bearer(header: str) -> str:
    """Return the token of an Authorization header, empty without one."""
    scheme, _, token = header.partition(" ")
    return token.strip() if scheme.lower() == "bearer" else ""


def enter(scope: Scope, access: AccessToken) -> None:
    """Make the token's owner the caller, for the SDK's session checks and for ours."""
    scope["user"] = AuthenticatedUser(access)
    scope["auth"] = AuthCredentials(access.scopes)
    client: Client = current_client()
    enter_client(replace(client, principal=name_principal(access)))


def name_principal(access: AccessToken) -> str:
    """Return the caller's name: the client, and its user where it has several."""
    if access.subject and access.subject != access.client_id:
        return f"{access.client_id}/{access.subject}"
    return access.client_id


def build_refusal(reason: str, policy: AuthPolicy, path: str) -> Response:
    """Make the 401 or 403 of RFC 6750, as plain as its readers need it."""
    metadata_url = policy.metadata_urls.get(path.rstrip("/"))
    status, error, text = {
        "missing": (401, "", "Send the header: Authorization: Bearer <token>."),
        "invalid": (401, "invalid_token", "This token is unknown or no longer valid."),
        "scope": (403, "insufficient_scope", "This token lacks a required scope."),
    }[reason]
    parts: list[str] = []
    if metadata_url:
        if error:
            parts.append(f'error="{error}"')
        if policy.required_scopes:
            parts.append(f'scope="{" ".join(policy.required_scopes)}"')
        parts.append(f'resource_metadata="{metadata_url}"')
    challenge = f"Bearer {', '.join(parts)}" if parts else "Bearer"
    body = {"error": error or "unauthorized", "error_description": text}
    return Response(
        msgspec.json.encode(body),
        status,
        {"www-authenticate": challenge},
        media_type="application/json",
    )
