"""How a hub authenticates callers: static tokens, JSON Web Tokens, or not at all."""

from collections.abc import Callable, Iterable

from mcphub_server.auth.middleware import AuthPolicy
from mcphub_server.auth.resource import (
    build_metadata_urls,
    find_audiences,
    find_challenged_scopes,
)
from mcphub_server.auth.static_tokens import TokenFiles
from mcphub_server.config.hub import AuthType, HubConfig
from mcphub_server.config.runtime import RuntimeSettings


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

    jwt = config.auth.jwt
    return AuthPolicy(
        JwtVerifier(jwt, find_audiences(config), wanted=wanted),
        jwt.required_scopes,
        find_challenged_scopes(jwt),
        build_metadata_urls(config),
    )
