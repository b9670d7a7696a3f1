"""How clients reach a hub and prove who they are."""

from enum import StrEnum
from typing import Annotated

from pydantic import ConfigDict, Field

from mcphub_operator.spec.model import Model, rule, rules
from mcphub_operator.spec.strings import (
    CIDR,
    AnnotationValue,
    Issuer,
    Name,
    OptionalHTTPURL,
    Text,
)


class ServiceType(StrEnum):
    """The Service types that make sense for a hub."""

    CLUSTER_IP = "ClusterIP"
    NODE_PORT = "NodePort"
    LOAD_BALANCER = "LoadBalancer"


class SessionAffinity(StrEnum):
    """Whether the Service sends a client's address to one replica."""

    NONE = "None"
    CLIENT_IP = "ClientIP"


class ExternalTrafficPolicy(StrEnum):
    """Whether a node passes outside traffic to other nodes' replicas."""

    CLUSTER = "Cluster"
    LOCAL = "Local"


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
    """ClusterIP inside the cluster only, NodePort on every node, LoadBalancer."""

    port: Annotated[int, Field(ge=1, le=65535)] = 8000
    """Port of the Service."""

    node_port: Annotated[int, Field(ge=1, le=65535)] | None = None
    """Port on every node, by default from 30000-32767; left out, the API server
    picks one."""

    session_affinity: SessionAffinity = SessionAffinity.NONE
    """None is right for hubs: any replica serves any session."""

    session_affinity_timeout_seconds: Annotated[int, Field(ge=1, le=86400)] = 10800
    """How long ClientIP affinity lasts."""

    external_traffic_policy: ExternalTrafficPolicy = ExternalTrafficPolicy.CLUSTER
    """Local keeps the client's address and only uses replicas on the node asked."""

    annotations: Annotated[dict[str, AnnotationValue], Field(max_length=64)] = Field({})
    """Annotations of the Service, for load balancers."""

    load_balancer_source_ranges: Annotated[tuple[CIDR, ...], Field(max_length=64)] = ()
    """Address ranges that the load balancer lets in; empty means all."""


class SessionMode(StrEnum):
    """Whether /mcp keeps a session between requests."""

    STATELESS = "Stateless"
    STATEFUL = "Stateful"


class StreamableHTTP(Model):
    """The transport at /mcp."""

    sessions: SessionMode = SessionMode.STATELESS
    """Stateless lets any replica answer any request."""


class SSE(Model):
    """The older transport at /sse."""

    enabled: bool = True
    """Whether /sse answers."""


class Transports(Model):
    """The MCP transports that the hub offers."""

    streamable_http: Annotated[StreamableHTTP, Field(alias="streamableHTTP")] = (
        StreamableHTTP()
    )
    """Streamable HTTP at /mcp."""

    sse: SSE = SSE()
    """Server-sent events at /sse, for older clients."""


class AuthType(StrEnum):
    """How clients authenticate."""

    TOKEN = "Token"  # noqa: S105 - the name of a method
    JWT = "JWT"
    NONE = "None"


class TokensRef(Model):
    """A Secret whose every key is a client's name and whose value is its token."""

    name: Name = ""
    """Name of the Secret, whose every key is a client's name and whose value is its
    token; empty: the operator makes <hub>-auth with one token, of client `default`."""


class JWT(Model):
    """Bearer tokens signed by an identity provider."""

    issuer: Issuer = ""
    """Expected `iss` claim."""

    audience: Text = ""
    """Expected `aud` claim."""

    jwks_uri: Annotated[OptionalHTTPURL, Field(alias="jwksURI")] = ""
    """Where the provider publishes its keys."""

    required_scopes: Annotated[tuple[Text, ...], Field(max_length=32)] = ()
    """Scopes that a token must carry."""


class Auth(Model):
    """Who may use the hub."""

    model_config = ConfigDict(
        json_schema_extra=rules(
            rule(
                "self.type != 'JWT' || (has(self.jwt) && self.jwt.issuer != ''"
                " && self.jwt.audience != '' && self.jwt.jwksURI != '')",
                "auth.type JWT needs auth.jwt.issuer, auth.jwt.audience and"
                " auth.jwt.jwksURI",
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
    """Token: static bearer tokens; JWT: an identity provider's; None: everyone."""

    tokens_secret_ref: TokensRef = TokensRef()
    """The clients' tokens, for type Token."""

    jwt: JWT | None = None
    """The identity provider, for type JWT."""
