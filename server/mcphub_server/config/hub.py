"""The whole of `hub.yaml`: what one hub serves, and within which limits."""

from enum import StrEnum
from ipaddress import ip_network
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from mcphub_server.config.backends import Address, BackendConfig
from mcphub_server.config.model import ConfigModel

LONGEST_STATEMENT_SECONDS = 38
"""Proxies cut a silent JSON answer after 50 s (HAProxy) or 60 s (nginx): waiting for
a place, for a connection, for the statement and for its end together stay below 45."""


class SessionMode(StrEnum):
    """Whether `/mcp` keeps a session per client."""

    STATELESS = "Stateless"
    STATEFUL = "Stateful"


class AuthType(StrEnum):
    """How a client proves who it is."""

    TOKEN = "Token"  # noqa: S105 -- a word of the custom resource
    JWT = "JWT"
    NONE = "None"


class StreamableHttpConfig(ConfigModel):
    """The transport at `/mcp`."""

    sessions: SessionMode = SessionMode.STATELESS


class SseConfig(ConfigModel):
    """The older transport at `/sse` and `/messages/`."""

    enabled: bool = True


class WebSocketConfig(ConfigModel):
    """The transport at `/mcp` for clients that open a WebSocket."""

    enabled: bool = False


class TransportsConfig(ConfigModel):
    """What clients may connect with."""

    streamable_http: StreamableHttpConfig = StreamableHttpConfig()
    sse: SseConfig = SseConfig()
    web_socket: WebSocketConfig = WebSocketConfig()

    @property
    def is_stateful(self) -> bool:
        """Whether `/mcp` keeps sessions."""
        return self.streamable_http.sessions is SessionMode.STATEFUL


class WebPageConfig(ConfigModel):
    """The page at `/` for people with a browser."""

    enabled: bool = True


class TlsConfig(ConfigModel):
    """Whether the port for MCP clients speaks TLS; the certificate is in files."""

    enabled: bool = False


class JwtConfig(ConfigModel):
    """Which JSON Web Tokens are believed."""

    issuer: str = ""
    audience: str = ""
    jwks_uri: Address = ""
    required_scopes: tuple[str, ...] = ()
    requested_scopes: tuple[str, ...] = ()


class AuthConfig(ConfigModel):
    """Authentication of clients."""

    type: AuthType = AuthType.TOKEN
    jwt: JwtConfig = JwtConfig()

    @model_validator(mode="after")
    def check_jwt_is_complete(self) -> Self:
        """A verifier that lacks one of these believes tokens made for others."""
        if self.type is AuthType.JWT:
            for name, value in (
                ("issuer", self.jwt.issuer),
                ("jwksURI", self.jwt.jwks_uri),
            ):
                if not value:
                    raise ValueError(f"type JWT needs jwt.{name}")
        return self


def cut_statement_timeout(seconds: int) -> int:
    """Return what can be kept of a longer wish."""
    return min(seconds, LONGEST_STATEMENT_SECONDS)


class PerClientConfig(ConfigModel):
    """Bounds of one client on one replica, across its sessions."""

    requests_per_second: Annotated[int, Field(ge=1)] = 100
    burst: Annotated[int, Field(ge=1)] = 200


class LimitsConfig(ConfigModel):
    """Bounds of one call, and of one replica."""

    max_rows: Annotated[int, Field(ge=1)] = 100
    max_result_bytes: Annotated[int, Field(ge=1)] = 393_216
    statement_timeout_seconds: Annotated[
        int, Field(ge=1), AfterValidator(cut_statement_timeout)
    ] = 30
    requests_per_second: Annotated[int, Field(ge=1)] = 100
    burst: Annotated[int, Field(ge=1)] = 200
    per_client: PerClientConfig | None = None
    max_concurrent_calls: Annotated[int, Field(ge=1)] = 64


class LogFormat(StrEnum):
    """How a log line looks."""

    JSON = "json"
    TEXT = "text"


class LoggingConfig(ConfigModel):
    """What is logged, and how."""

    level: Literal["debug", "info", "warning", "error"] = "info"
    format: LogFormat = LogFormat.JSON


class OtlpConfig(ConfigModel):
    """Where spans go, by OTLP over HTTP; an empty endpoint turns traces off."""

    endpoint: Annotated[Address, Field(pattern=r"^(https?://.+)?$")] = ""
    sample_ratio: Annotated[float, Field(ge=0, le=1)] = 1.0


class ObservabilityConfig(ConfigModel):
    """What leaves the hub for those who run it."""

    otlp: OtlpConfig = OtlpConfig()


def check_network(value: str) -> str:
    """Refuse what is not an address or a CIDR."""
    ip_network(value, strict=False)
    return value


def find_identity_claims(backend: BackendConfig) -> tuple[str, ...]:
    """Return the claims that a backend's `identity` names, of kinds that have it."""
    identity = getattr(backend.options, "identity", None)
    claims: tuple[str, ...] = identity.claims if identity is not None else ()
    return claims


class HubConfig(ConfigModel):
    """One hub."""

    backends: tuple[BackendConfig, ...] = ()
    transports: TransportsConfig = TransportsConfig()
    web_page: WebPageConfig = WebPageConfig()
    tls: TlsConfig = TlsConfig()
    auth: AuthConfig = AuthConfig()
    limits: LimitsConfig = LimitsConfig()
    logging: LoggingConfig = LoggingConfig()
    observability: ObservabilityConfig = ObservabilityConfig()
    public_url: Annotated[Address, Field(pattern=r"^(https?://.+)?$")] = ""
    allowed_hosts: tuple[str, ...] = ()
    trusted_proxies: tuple[Annotated[str, AfterValidator(check_network)], ...] = ()

    @model_validator(mode="after")
    def check_audience_is_known(self) -> Self:
        """Without an audience, tokens that were made for others would be believed."""
        is_jwt = self.auth.type is AuthType.JWT
        if is_jwt and not self.auth.jwt.audience and not self.public_url:
            raise ValueError("auth: type JWT needs jwt.audience or publicURL")
        return self

    @model_validator(mode="after")
    def check_unique_names(self) -> Self:
        """Two backends of one name would give two tools of one name."""
        names = [backend.name for backend in self.backends]
        for name in names:
            if names.count(name) > 1:
                raise ValueError(f"backends: the name {name} is used twice")
        return self

    @property
    def identity_claims(self) -> frozenset[str]:
        """The claims that the backends' `identity` names."""
        return frozenset(
            claim
            for backend in self.backends
            for claim in find_identity_claims(backend)
        )

    @property
    def enabled_backends(self) -> tuple[BackendConfig, ...]:
        """The backends that this server talks to."""
        return tuple(backend for backend in self.backends if backend.enabled)
