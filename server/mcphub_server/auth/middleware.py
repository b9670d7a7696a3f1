"""Authenticates callers of the MCP endpoints by a bearer token.

One ASGI layer instead of the four that the SDK stacks, because the wording of a
refusal matters: with static tokens the challenge is a bare `Bearer`. Any other one
sends Claude Code, Copilot CLI and Cursor into an OAuth flow in which they drop the
header that their user configured.
"""

import string
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field, replace
from http import HTTPStatus
from typing import Protocol
from urllib.parse import quote

import msgspec
from mcp.server.auth.middleware.bearer_auth import AuthenticatedUser
from mcp.server.auth.provider import AccessToken
from starlette.authentication import AuthCredentials
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from mcphub_server.auth.claims import load_claims
from mcphub_server.auth.credentials import find_credential
from mcphub_server.auth.refusals import (
    SENTENCES,
    CredentialRefused,
    Refusal,
    RefusalLog,
)
from mcphub_server.auth.report import ALL_WELL, AuthReport
from mcphub_server.web.caller import Client, current_client, enter_client
from mcphub_server.web.request import get_request
from mcphub_server.web.subprotocols import without_tokens

STILL_VALID = "mcphub.still_valid"
"""The scope's key, on a WebSocket, for a function that verifies its token again."""

RETRY_SECONDS = 5
PLAIN_IN_NAMES = "".join(set(string.printable) - {"/", "%"})


class Verifier(Protocol):
    """Turns a token into its caller."""

    async def verify(self, token: str) -> AccessToken:
        """Return the caller of a token; raises CredentialRefused."""

    async def follow(self, notify: Callable[[], None]) -> None:
        """Keep files or keys up to date; call `notify` when the report changes."""

    def report(self) -> AuthReport:
        """Return what is wrong, if anything is."""


@dataclass(frozen=True, slots=True)
class AuthPolicy:
    """How callers authenticate.

    Attributes:
        verifier: Turns a token into a client; None admits every caller.
        required_scopes: What a token must grant.
        challenged_scopes: What a challenge tells clients to ask for.
        metadata_urls: RFC 9728 metadata to name in challenges, by the path of the
            request without a slash at its end; only for JWT.
    """

    verifier: Verifier | None
    required_scopes: tuple[str, ...] = ()
    challenged_scopes: tuple[str, ...] = ()
    metadata_urls: Mapping[str, str] = field(default_factory=dict)

    def report(self) -> AuthReport:
        """Return what `/status` says."""
        return self.verifier.report() if self.verifier else ALL_WELL

    async def follow(self, notify: Callable[[], None]) -> None:
        """Keep the verifier up to date until cancelled."""
        if self.verifier is not None:
            await self.verifier.follow(notify)


class AuthMiddleware:
    """Passes on requests with a valid token, and enters the caller into the scope."""

    def __init__(
        self,
        app: ASGIApp,
        policy: AuthPolicy,
        refusals: RefusalLog,
        count_success: Callable[[], None] = lambda: None,
    ) -> None:
        self._app = app
        self._policy = policy
        self._refusals = refusals
        self._count_success = count_success

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        verifier = self._policy.verifier
        if verifier is None or get_request(scope).is_forwarded:
            await self._app(scope, receive, send)
            return
        try:
            token = find_credential(scope)
            enter(scope, await self._authenticate(verifier, token))
        except CredentialRefused as refused:
            self._refusals.note(refused)
            response = build_refusal(refused.reason, self._policy, scope["path"])
            await response(scope, receive, send)
            return
        self._count_success()
        if get_request(scope).is_websocket:
            scope = without_tokens(scope)
            scope[STILL_VALID] = build_check(verifier, token)
        await self._app(scope, receive, send)

    async def _authenticate(self, verifier: Verifier, token: str) -> AccessToken:
        access = await verifier.verify(token)
        if not set(self._policy.required_scopes) <= set(access.scopes):
            raise CredentialRefused(Refusal.SCOPE, ("scope",))
        return access


def build_check(verifier: Verifier, token: str) -> Callable[[], Awaitable[bool]]:
    """Return a function that says whether a token is still valid."""

    async def is_valid() -> bool:
        try:
            await verifier.verify(token)
        except CredentialRefused:
            return False
        return True

    return is_valid


def enter(scope: Scope, access: AccessToken) -> None:
    """Make the token's owner the caller, for the SDK's session checks and for ours."""
    scope["user"] = AuthenticatedUser(access)
    scope["auth"] = AuthCredentials(access.scopes)
    enter_client(describe_caller(current_client(), access))


def describe_caller(client: Client, access: AccessToken) -> Client:
    """Return the client of a request with what its token says of the caller."""
    return replace(
        client,
        principal=name_principal(access),
        scopes=frozenset(access.scopes),
        claims=load_claims(access),
    )


def name_principal(access: AccessToken) -> str:
    """Return the caller's name: the client, and its user where it has several.

    A slash in the client's own name is escaped: `a/b` with the user `c` is not `a`
    with the user `b/c`.
    """
    client = quote(access.client_id, safe=PLAIN_IN_NAMES)
    if access.subject and access.subject != access.client_id:
        return f"{client}/{access.subject}"
    return client


def build_refusal(reason: Refusal, policy: AuthPolicy, path: str) -> Response:
    """Make the 400, 401, 403 or 503 as plain as its readers need it (RFC 6750)."""
    status, error = find_status(reason)
    body = {
        "error": error or "unauthorized",
        "error_description": SENTENCES[reason],
    }
    if status is HTTPStatus.SERVICE_UNAVAILABLE:
        headers = {"retry-after": str(RETRY_SECONDS)}
    else:
        headers = {"www-authenticate": build_challenge(reason, policy, path)}
    return Response(
        msgspec.json.encode(body), status, headers, media_type="application/json"
    )


def find_status(reason: Refusal) -> tuple[HTTPStatus, str]:
    """Return the status and the error code of a refusal."""
    match reason:
        case Refusal.MISSING | Refusal.EMPTY | Refusal.SCHEME:
            return HTTPStatus.UNAUTHORIZED, ""
        case Refusal.HEADER | Refusal.SEVERAL:
            return HTTPStatus.BAD_REQUEST, "invalid_request"
        case Refusal.SCOPE:
            return HTTPStatus.FORBIDDEN, "insufficient_scope"
        case Refusal.KEYS_MISSING:
            return HTTPStatus.SERVICE_UNAVAILABLE, "temporarily_unavailable"
        case _:
            return HTTPStatus.UNAUTHORIZED, "invalid_token"


def build_challenge(reason: Refusal, policy: AuthPolicy, path: str) -> str:
    """Return the challenge; a bare one unless there is metadata to name."""
    metadata_url = policy.metadata_urls.get(path.rstrip("/"))
    if not metadata_url:
        return "Bearer"
    _, error = find_status(reason)
    named = {
        "error": error,
        "error_description": SENTENCES[reason] if error else "",
        "scope": " ".join(policy.challenged_scopes),
        "resource_metadata": metadata_url,
    }
    parts = [f'{name}="{value}"' for name, value in named.items() if value]
    return f"Bearer {', '.join(parts)}"
