"""The hub as a protected resource of OAuth: its identifiers and their metadata. Pure.

A resource is one endpoint under `publicURL` (RFC 8707, RFC 9728). All comes from the
configuration and nothing from a request: a Host header must not choose the name that
clients are told to trust. Only with JWT there is an authorization server to announce,
only if its issuer is a URL, below which clients look for it, and only with `publicURL`:
a guess would send clients to an address that they may not reach.
"""

import re
from collections.abc import Iterator, Mapping
from urllib.parse import quote, unquote, urlsplit

from mcphub_server.config.hub import AuthType, HubConfig, JwtConfig
from mcphub_server.web.paths import PROTECTED_RESOURCE, Endpoint

RESOURCES = (Endpoint.HTTP, Endpoint.SSE)

RESOURCE_OF: Mapping[str, Endpoint] = {
    Endpoint.HTTP: Endpoint.HTTP,
    Endpoint.SSE: Endpoint.SSE,
    Endpoint.MESSAGES: Endpoint.SSE,
}
"""By path. Clients refuse metadata of another resource than the one that they asked
(RFC 9728, section 3.3); what is sent to `/messages` belongs to an SSE session."""

PORT_OF = {"http": ":80", "https": ":443"}
URL_CHARACTERS = "%/:@[]!$&'()*+,;=~"
"""What stands in a URL unquoted, besides letters, digits, `_`, `.` and `-`."""

SCOPE = re.compile(r"[\x21\x23-\x5b\x5d-\x7e]+")
"""A scope's name (RFC 6749, section 3.3); no other may stand in a challenge."""


def build_resource(public_url: str, endpoint: Endpoint) -> str:
    """Return the identifier of an endpoint as clients write it.

    They write hosts in lower case and leave out the scheme's own port, and a token's
    audience is what they wrote.
    """
    parts = urlsplit(public_url)
    return f"{_build_origin(public_url)}{_quote(parts.path.rstrip('/'))}{endpoint}"


def build_metadata_url(public_url: str, endpoint: Endpoint) -> str:
    """Return where an endpoint's metadata is (RFC 9728, section 3.1)."""
    origin = _build_origin(public_url)
    path = build_resource(public_url, endpoint).removeprefix(origin)
    return f"{origin}{PROTECTED_RESOURCE}{path}"


def has_metadata(config: HubConfig) -> bool:
    """Return whether there is an authorization server that clients can find."""
    is_url = config.auth.jwt.issuer.lower().startswith(("https://", "http://"))
    return config.auth.type is AuthType.JWT and is_url and bool(config.public_url)


def build_metadata_urls(config: HubConfig) -> Mapping[str, str]:
    """Return where the metadata is for each path; empty if there is no metadata."""
    if not has_metadata(config):
        return {}
    return {
        path: build_metadata_url(config.public_url, endpoint)
        for path, endpoint in RESOURCE_OF.items()
    }


def build_resource_metadata(config: HubConfig) -> Mapping[str, object]:
    """Return the documents of RFC 9728 by path; empty if there is no metadata."""
    if not has_metadata(config):
        return {}
    documents: dict[str, object] = {}
    for endpoint in RESOURCES:
        body = _build_document(config, endpoint)
        url = build_metadata_url(config.public_url, endpoint)
        # with the path of publicURL, and for a proxy that takes it away
        for path in (unquote(urlsplit(url).path), f"{PROTECTED_RESOURCE}{endpoint}"):
            documents[path] = documents[f"{path}/"] = body
    at_root = documents[f"{PROTECTED_RESOURCE}{RESOURCES[0]}"]
    return documents | dict.fromkeys(
        (PROTECTED_RESOURCE, f"{PROTECTED_RESOURCE}/"), at_root
    )


def find_audiences(config: HubConfig) -> tuple[str, ...]:
    """Return the audiences of which a token must name one.

    Without a configured one, these are the hub's own resources: clients name the one
    that they call when they ask for a token (RFC 8707).
    """
    if config.auth.jwt.audience:
        return (config.auth.jwt.audience,)
    return tuple(build_resource(config.public_url, each) for each in RESOURCES)


def find_challenged_scopes(jwt: JwtConfig) -> tuple[str, ...]:
    """Return the scopes that clients are told to ask for, each once."""
    return tuple(dict.fromkeys(_list_scopes(jwt)))


def _list_scopes(jwt: JwtConfig) -> Iterator[str]:
    for scope in jwt.requested_scopes or jwt.required_scopes:
        if SCOPE.fullmatch(scope):
            yield scope


def _build_document(config: HubConfig, endpoint: Endpoint) -> Mapping[str, object]:
    scopes = list(find_challenged_scopes(config.auth.jwt))
    return {
        "resource": build_resource(config.public_url, endpoint),
        "authorization_servers": [config.auth.jwt.issuer],
        "bearer_methods_supported": ["header"],
        # a parameter without values is left out (RFC 9728, section 3.2)
        **({"scopes_supported": scopes} if scopes else {}),
    }


def _build_origin(public_url: str) -> str:
    parts = urlsplit(public_url)
    host = parts.netloc.lower().removesuffix(PORT_OF.get(parts.scheme, ""))
    return f"{parts.scheme}://{_quote(host)}"


def _quote(part: str) -> str:
    """Leave nothing in a part of a URL that a header cannot carry."""
    return quote(part, safe=URL_CHARACTERS)
