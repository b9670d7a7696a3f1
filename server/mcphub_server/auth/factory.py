"""How a hub authenticates callers: static tokens, JSON Web Tokens, or not at all.

Only with JWT there is an authorization server to announce (RFC 9728), and only where
`publicURL` says under which name clients know this server: a guess would send them to
an address that they may not reach.
"""

from collections.abc import Callable, Iterable, Mapping
from urllib.parse import urlsplit

from mcphub_server.auth.middleware import AuthPolicy
from mcphub_server.auth.static_tokens import TokenFiles
from mcphub_server.config.hub import AuthType, HubConfig
from mcphub_server.config.runtime import RuntimeSettings
from mcphub_server.web.paths import PROTECTED_RESOURCE, Endpoint

RESOURCES = (Endpoint.HTTP, Endpoint.SSE)

RESOURCE_OF: Mapping[str, Endpoint] = {
    Endpoint.HTTP: Endpoint.HTTP,
    Endpoint.SSE: Endpoint.SSE,
    Endpoint.MESSAGES: Endpoint.SSE,
}
"""By path. Clients refuse metadata of another resource than the one that they asked
(RFC 9728, section 3.3); what is sent to `/messages` belongs to an SSE session."""


def build_auth_policy(
    config: HubConfig,
    runtime: RuntimeSettings,
    wanted: Callable[[], Iterable[str]] = tuple,
) -> AuthPolicy:
    """Choose how callers authenticate; `wanted` names the claims to keep."""
    if config.auth.type is AuthType.NONE:
        return AuthPolicy(None)
    if config.auth.type is AuthType.TOKEN:
        return AuthPolicy(TokenFiles(runtime.tokens_dir, runtime.keys_dir))
    from mcphub_server.auth.jwt import JwtVerifier  # noqa: PLC0415 -- 40 ms

    return AuthPolicy(
        JwtVerifier(config.auth.jwt, wanted=wanted),
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
    return f"{parts.scheme}://{parts.netloc}{PROTECTED_RESOURCE}{path}{resource}"


def build_resource_metadata(config: HubConfig) -> Mapping[str, object]:
    """Return the documents of RFC 9728 by path; only for JWT with a public name."""
    if config.auth.type is not AuthType.JWT or not config.public_url:
        return {}
    public = config.public_url.rstrip("/")
    documents: dict[str, object] = {}
    for resource in RESOURCES:
        body: dict[str, object] = {
            "resource": f"{public}{resource}",
            "authorization_servers": [config.auth.jwt.issuer],
            "bearer_methods_supported": ["header"],
            "scopes_supported": list(config.auth.jwt.required_scopes),
        }
        path = urlsplit(build_metadata_url(config.public_url, resource)).path
        documents[path] = documents[f"{PROTECTED_RESOURCE}{resource}"] = body
    documents[PROTECTED_RESOURCE] = documents[f"{PROTECTED_RESOURCE}{RESOURCES[0]}"]
    return documents
