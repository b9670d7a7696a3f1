"""The complete `spec` of an McpHub."""

from enum import StrEnum
from typing import Annotated

from pydantic import ConfigDict, Field

from mcphub_operator.spec.access import Auth, ServiceSpec, Transports, WebPage
from mcphub_operator.spec.access_rules import Access
from mcphub_operator.spec.backends.backend import Backend
from mcphub_operator.spec.declared_tools import Tools
from mcphub_operator.spec.governance import GOVERNANCE
from mcphub_operator.spec.model import Model, rule, rules
from mcphub_operator.spec.observability import Observability
from mcphub_operator.spec.pods import PodSpec, PullPolicy, PullSecret, Resources
from mcphub_operator.spec.policy import NetworkPolicySpec
from mcphub_operator.spec.prompts import Prompts
from mcphub_operator.spec.routing import IngressSpec, RouteSpec, TLSSpec
from mcphub_operator.spec.scaling import Autoscaling, DisruptionBudget
from mcphub_operator.spec.strings import CIDR, AllowedHost, OptionalHTTPURL


class LogLevel(StrEnum):
    """Log level of the servers."""

    DEBUG = "debug"
    INFO = "info"
    WARNING = "warning"
    ERROR = "error"


class LogFormat(StrEnum):
    """Log format of the servers."""

    JSON = "json"
    TEXT = "text"


class Logging(Model):
    """Logs of the servers."""

    level: LogLevel = LogLevel.INFO
    """Least severe level that the servers log."""

    format: LogFormat = LogFormat.JSON
    """json: one JSON object per line. text: for people."""


class PerClient(Model):
    """Limits of one client on one replica.

    A client is a token, a JWT's client and subject, or, without authentication, an
    address.
    """

    requests_per_second: Annotated[int, Field(ge=1, le=100_000)] = 100
    """Sustained number of calls per second."""

    burst: Annotated[int, Field(ge=1, le=100_000)] = 200
    """Number of calls at once before the rate applies."""


class Limits(Model):
    """Limits of tool calls. Rates and concurrency apply per replica."""

    max_rows: Annotated[int, Field(ge=1, le=100_000)] = 100
    """Maximum number of rows that a call returns."""

    max_result_bytes: Annotated[int, Field(ge=1, le=67_108_864)] = 393_216
    """Maximum number of bytes that a call returns, as JSON. An answer contains them
    twice, and Python's MCP client accepts no event above 1 MiB."""

    statement_timeout_seconds: Annotated[int, Field(ge=1, le=3600)] = 30
    """Maximum time for one statement. The server lowers values above 38 to 38, because
    proxies cut silent answers after 50 to 60 s."""

    requests_per_second: Annotated[int, Field(ge=1, le=100_000)] = 100
    """Sustained number of calls per second and client."""

    burst: Annotated[int, Field(ge=1, le=100_000)] = 200
    """Number of calls that a client may make at once before the rate applies."""

    per_client: PerClient | None = None
    """Limits of each client across its sessions on a replica. If unset, the limits
    above hold for each session alone."""

    max_concurrent_calls: Annotated[int, Field(ge=1, le=10_000)] = 64
    """Maximum number of concurrent calls in one replica."""


def _scaled_by(resource: str, field: str) -> dict[str, str]:
    requested = (
        f"has(self.resources.requests) && '{resource}' in self.resources.requests"
    )
    return rule(
        f"!has(self.autoscaling) || !has(self.autoscaling.{field}) || ({requested})",
        f"autoscaling.{field} needs resources.requests.{resource}, of which it is a"
        " percentage",
    )


_AUDIENCE = rule(
    "!has(self.auth) || self.auth.type != 'JWT' || !has(self.auth.jwt)"
    " || self.auth.jwt.audience != '' || self.publicURL != '' || has(self.route)"
    " || has(self.ingress)",
    "auth.jwt.audience is empty, so the hub needs publicURL, route or ingress",
    field="auth",
)


class HubSpec(Model):
    """The desired state of a hub."""

    model_config = ConfigDict(
        json_schema_extra=rules(
            _scaled_by("cpu", "targetCPUUtilizationPercentage"),
            _scaled_by("memory", "targetMemoryUtilizationPercentage"),
            _AUDIENCE,
            *GOVERNANCE,
        )
    )

    replicas: Annotated[int, Field(ge=0, le=100)] = 1
    """Number of pods that serve the hub; ignored while autoscaling is set."""

    image: Annotated[str, Field(max_length=512)] = ""
    """Image of the hub server. Empty: the operator's default image."""

    image_pull_policy: PullPolicy | None = None
    """When nodes pull the image. If unset, Kubernetes decides by the tag."""

    image_pull_secrets: Annotated[tuple[PullSecret, ...], Field(max_length=8)] = ()
    """Credentials of a private registry."""

    backends: Annotated[
        tuple[Backend, ...],
        Field(
            max_length=32,
            json_schema_extra={
                "x-kubernetes-list-type": "map",
                "x-kubernetes-list-map-keys": ["name"],
            },
        ),
    ] = ()
    """The databases. A hub without backends is valid and answers health_check."""

    service: ServiceSpec = ServiceSpec()
    """The Service that clients connect to."""

    route: RouteSpec | None = None
    """An HTTPRoute of the Gateway API that leads clients from outside to the hub."""

    ingress: IngressSpec | None = None
    """An Ingress that leads clients from outside to the hub, for clusters without a
    Gateway."""

    tls: TLSSpec | None = None
    """Serves https, with TLS 1.2 or later, on the port for clients. If unset, the pods
    serve http."""

    public_url: Annotated[OptionalHTTPURL, Field(alias="publicURL")] = ""
    """URL of the hub for clients, in the status, the OAuth metadata and the check of
    the Host header. Empty: the URL that `route`, or else `ingress`, gives."""

    allowed_hosts: Annotated[tuple[AllowedHost, ...], Field(max_length=64)] = ()
    """Host header values to accept besides nodes, the Service, loopback, publicURL, and
    the names in `route` and `ingress`."""

    trusted_proxies: Annotated[tuple[CIDR, ...], Field(max_length=64)] = ()
    """Address ranges of proxies whose X-Forwarded headers the hub trusts."""

    transports: Transports = Transports()
    """The MCP transports that the hub serves."""

    web_page: WebPage = WebPage()
    """The page at `/` for people with a browser: how to connect, and a form that tries
    tools with a token. Without one it shows no data."""

    auth: Auth = Auth()
    """Who may use the hub."""

    autoscaling: Autoscaling | None = None
    """Scales the hub on load; overrides replicas while set."""

    disruption_budget: Annotated[
        DisruptionBudget | None, Field(json_schema_extra={"nullable": True})
    ] = None
    """How many replicas a node drain may evict at once. If unset, one, for a hub of two
    replicas or more, or whose autoscaler keeps two. null, or enabled: false: all."""

    network_policy: NetworkPolicySpec = NetworkPolicySpec()
    """Which peers may connect to the hub, and to which peers the hub may connect."""

    limits: Limits = Limits()
    """Limits of tool calls."""

    resources: Resources = Resources()
    """CPU and memory of each replica."""

    pod: PodSpec = PodSpec()
    """Placement and metadata of the pods."""

    logging: Logging = Logging()
    """Logs of the servers."""

    observability: Observability = Observability()
    """Traces of the servers."""

    tools: Tools = ()
    """Declared tools: reviewed statements with typed parameters. A change restarts no
    pod."""

    prompts: Prompts = ()
    """Declared prompts: texts with arguments, which people choose in their client. A
    change restarts no pod."""

    access: Access | None = None
    """Who may call which tools. If unset, every authenticated client may call every
    tool. A change restarts no pod."""

    paused: bool = False
    """True: the operator updates only the status of this hub."""
