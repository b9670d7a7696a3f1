"""Which door a hub has: static tokens, JSON Web Tokens, or none.

Only behind a JWT door there is an authorization server to tell of (RFC 9728), and only
where `publicURL` says under which name clients know this server: a guess would send
them to an address that is not theirs to reach.
"""

from collections.abc import Mapping
from urllib.parse import urlsplit

from starlette.types import ASGIApp, Receive, Scope, Send

from mcphub_server.auth.middleware import AuthPolicy
from mcphub_server.auth.static_tokens import TokenFiles
from mcphub_server.config.hub import AuthType, HubConfig
from mcphub_server.config.runtime import RuntimeSettings
from mcphub_server.web.responses import build_json

WELL_KNOWN = "/.well-known/oauth-protected-resource"
RESOURCES = ("/mcp", "/sse")

RESOURCE_OF = {"/mcp": "/mcp", "/sse": "/sse", "/messages": "/sse"}
"""By path. Clients refuse metadata of another resource than the one that they asked
(RFC 9728, section 3.3); what is sent to `/messages` belongs to an SSE session."""


def build_auth_policy(config: HubConfig, runtime: RuntimeSettings) -> AuthPolicy:
    """Choose how callers prove who they are."""
    if config.auth.type is AuthType.NONE:
        return AuthPolicy(None)
    if config.auth.type is AuthType.TOKEN:
        return AuthPolicy(TokenFiles(runtime.tokens_dir))
    from mcphub_server.auth.jwt import JwtVerifier  # noqa: PLC0415 -- 40 ms

    return AuthPolicy(
        JwtVerifier(config.auth.jwt),
        config.auth.jwt.required_scopes,
        build_metadata_urls(config.public_url),
    )


def build_metadata_urls(public_url: str) -> Mapping[str, str]:
    """Return where the metadata is for each path; empty without a public name."""
    if not public_url:
        return {}
    return {
        path: build_metadata_url(public_url, resource)
        for path, resource in RESOURCE_OF.items()
    }


def build_metadata_url(public_url: str, resource: str) -> str:
    """Return where a resource's metadata is (RFC 9728, section 3.1)."""
    parts = urlsplit(public_url)
    path = parts.path.rstrip("/")
    return f"{parts.scheme}://{parts.netloc}{WELL_KNOWN}{path}{resource}"


class ResourceMetadata:
    """Answers what RFC 9728 asks, for a JWT door with a public address."""

    def __init__(self, app: ASGIApp, config: HubConfig) -> None:
        self._app = app
        self._answers = build_answers(config)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        answer = self._answers.get(scope.get("path", ""))
        if answer is None or scope["type"] != "http" or scope["method"] != "GET":
            await self._app(scope, receive, send)
        else:
            await build_json(answer)(scope, receive, send)


def build_answers(config: HubConfig) -> dict[str, dict[str, object]]:
    """Return the metadata by path; empty unless the door is a JWT one with a name."""
    if config.auth.type is not AuthType.JWT or not config.public_url:
        return {}
    public = config.public_url.rstrip("/")
    answers: dict[str, dict[str, object]] = {}
    for resource in RESOURCES:
        body: dict[str, object] = {
            "resource": f"{public}{resource}",
            "authorization_servers": [config.auth.jwt.issuer],
            "bearer_methods_supported": ["header"],
            "scopes_supported": list(config.auth.jwt.required_scopes),
        }
        path = urlsplit(build_metadata_url(config.public_url, resource)).path
        answers[path] = answers[f"{WELL_KNOWN}{resource}"] = body
    answers[WELL_KNOWN] = answers[f"{WELL_KNOWN}{RESOURCES[0]}"]
    return answers
