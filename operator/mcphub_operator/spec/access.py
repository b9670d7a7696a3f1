"""How clients reach a hub and authenticate."""

from enum import StrEnum
from typing import Annotated

from pydantic import ConfigDict, Field

from mcphub_operator import names
from mcphub_operator.spec.model import Model, rule, rules
from mcphub_operator.spec.strings import (
    CIDR,
    AnnotationValue,
    Issuer,
    Name,
    OptionalHTTPURL,
    PortName,
    ScopeName,
    Text,
)


class ServiceType(StrEnum):
    """The Service types that make sense for a hub."""

    CLUSTER_IP = "ClusterIP"
    NODE_PORT = "NodePort"
    LOAD_BALANCER = "LoadBalancer"


class SessionAffinity(StrEnum):
    """Whether the Service routes a client address to one replica."""

    NONE = "None"
    CLIENT_IP = "ClientIP"


class ExternalTrafficPolicy(StrEnum):
    """Whether a node forwards external traffic to replicas on other nodes."""

    CLUSTER = "Cluster"
    LOCAL = "Local"


class IPFamilyPolicy(StrEnum):
    """How many families of addresses the Service has."""

    SINGLE_STACK = "SingleStack"
    PREFER_DUAL_STACK = "PreferDualStack"
    REQUIRE_DUAL_STACK = "RequireDualStack"


class ServiceSpec(Model):
    """The Service that clients connect to."""

    model_config = ConfigDict(
        json_schema_extra=rules(
            rule(
                "!has(self.nodePort) || self.type != 'ClusterIP'",
                "nodePort needs service.type NodePort or LoadBalancer",
                field="nodePort",
            ),
            rule(
                "self.externalTrafficPolicy != 'Local' || self.type != 'ClusterIP'",
                "externalTrafficPolicy Local needs service.type NodePort or"
                " LoadBalancer",
                field="externalTrafficPolicy",
            ),
            rule(
                "self.loadBalancerSourceRanges.size() == 0"
                " || self.type == 'LoadBalancer'",
                "loadBalancerSourceRanges needs service.type LoadBalancer",
                field="loadBalancerSourceRanges",
            ),
        )
    )

    type: ServiceType = ServiceType.CLUSTER_IP
    """ClusterIP: inside the cluster only. NodePort: on a port of every node.
    LoadBalancer: through an external load balancer."""

    port: Annotated[int, Field(ge=1, le=65535)] = 8000
    """Port of the Service."""

    port_name: PortName = names.PORT_MCP
    """Name of the port. A Service that the hub takes over serves without a gap only if
    its port keeps its name. Empty: no name."""

    node_port: Annotated[int, Field(ge=1, le=65535)] | None = None
    """Port on every node, in the API server's range (default 30000-32767). If unset,
    the API server chooses one."""

    ip_family_policy: IPFamilyPolicy | None = None
    """Whether the Service has IPv4 and IPv6 addresses. If unset, a new one has one
    family, and others keep theirs."""

    session_affinity: SessionAffinity = SessionAffinity.NONE
    """A hub needs no affinity (None): any replica serves any session."""

    session_affinity_timeout_seconds: Annotated[int, Field(ge=1, le=86400)] = 10800
    """Duration of ClientIP affinity."""

    external_traffic_policy: ExternalTrafficPolicy = ExternalTrafficPolicy.CLUSTER
    """Local preserves the client's address and uses only replicas on the node that
    receives the connection."""

    annotations: Annotated[dict[str, AnnotationValue], Field(max_length=64)] = Field({})
    """Annotations of the Service, for load balancers."""

    load_balancer_source_ranges: Annotated[tuple[CIDR, ...], Field(max_length=64)] = ()
    """Address ranges that the load balancer admits. Empty: all."""


class SessionMode(StrEnum):
    """Whether /mcp keeps a session across requests."""

    STATELESS = "Stateless"
    STATEFUL = "Stateful"


class StreamableHTTP(Model):
    """The transport at /mcp."""

    sessions: SessionMode = SessionMode.STATELESS
    """Stateless: requests are independent. Stateful: the hub keeps a session across
    requests. Any replica answers any request in both modes."""


class SSE(Model):
    """The HTTP+SSE transport at /sse, for older clients."""

    enabled: bool = True
    """Whether the hub serves /sse."""


class WebSocket(Model):
    """The WebSocket transport at /mcp."""

    enabled: bool = False
    """Whether the hub accepts WebSockets at /mcp, with the subprotocol `mcp`."""


class Transports(Model):
    """The MCP transports that the hub serves."""

    streamable_http: Annotated[StreamableHTTP, Field(alias="streamableHTTP")] = (
        StreamableHTTP()
    )
    """Streamable HTTP at /mcp."""

    sse: SSE = SSE()
    """HTTP with server-sent events at /sse, for older clients."""

    web_socket: WebSocket = WebSocket()
    """WebSockets at /mcp. Each connection is a session."""


class WebPage(Model):
    """The page at / for people with a browser."""

    enabled: bool = True
    """Whether the hub serves it, at / on the port of the transports."""


class AuthType(StrEnum):
    """How clients authenticate."""

    TOKEN = "Token"  # noqa: S105 - the name of a method
    JWT = "JWT"
    NONE = "None"


class TokensRef(Model):
    """A Secret in which each key is a client's name and each value its token."""

    name: Name = ""
    """Name of a Secret: each key is a client's name, its value the token. Empty: the
    operator creates <hub>-auth with one token, for a client `default`."""


class JWT(Model):
    """Bearer tokens signed by an identity provider."""

    issuer: Issuer = ""
    """Expected `iss` claim."""

    audience: Text = ""
    """Expected `aud` claim. Empty: the hub's URL with /mcp or /sse, for which MCP
    clients ask."""

    jwks_uri: Annotated[OptionalHTTPURL, Field(alias="jwksURI")] = ""
    """URL at which the provider publishes its signing keys."""

    required_scopes: Annotated[tuple[Text, ...], Field(max_length=32)] = ()
    """Scopes that a token must carry."""

    requested_scopes: Annotated[tuple[ScopeName, ...], Field(max_length=32)] = ()
    """Scopes that clients shall ask for, if the provider names them otherwise than the
    token. Empty: requiredScopes."""


class Auth(Model):
    """Who may use the hub."""

    model_config = ConfigDict(
        json_schema_extra=rules(
            rule(
                "self.type != 'JWT' || (has(self.jwt) && self.jwt.issuer != ''"
                " && self.jwt.jwksURI != '')",
                "auth.type JWT needs auth.jwt.issuer and auth.jwt.jwksURI",
            ),
            rule(
                "self.type == 'JWT' || !has(self.jwt) || self.jwt.issuer == ''",
                "auth.jwt needs auth.type JWT; set it, or remove auth.jwt",
            ),
            rule(
                "self.type == 'Token' || self.tokensSecretRef.name == ''",
                "auth.tokensSecretRef needs auth.type Token; set it, or remove"
                " auth.tokensSecretRef",
            ),
        )
    )

    type: AuthType = AuthType.TOKEN
    """Token: static bearer tokens. JWT: tokens of an identity provider. None: no
    authentication."""

    tokens_secret_ref: TokensRef = TokensRef()
    """The clients' tokens, for type Token."""

    jwt: JWT | None = None
    """The identity provider, for type JWT."""
