"""The `spec` of an McpHub, whole."""

from enum import StrEnum
from typing import Annotated

from pydantic import ConfigDict, Field

from mcphub_operator.spec.access import Auth, ServiceSpec, Transports
from mcphub_operator.spec.backends import Backend
from mcphub_operator.spec.model import Model, rule, rules
from mcphub_operator.spec.pods import PodSpec, PullPolicy, PullSecret, Resources
from mcphub_operator.spec.policy import NetworkPolicySpec
from mcphub_operator.spec.scaling import Autoscaling, DisruptionBudget
from mcphub_operator.spec.strings import CIDR, AllowedHost, OptionalHTTPURL


class LogLevel(StrEnum):
    """How much the servers log."""

    DEBUG = "debug"
    INFO = "info"
    WARNING = "warning"
    ERROR = "error"


class LogFormat(StrEnum):
    """How the servers write their logs."""

    JSON = "json"
    TEXT = "text"


class Logging(Model):
    """The servers' logs."""

    level: LogLevel = LogLevel.INFO
    """Least severe level that is written."""

    format: LogFormat = LogFormat.JSON
    """One JSON object a line, or text for people."""


class Limits(Model):
    """Bounds of every tool call; rates and concurrency count per replica."""

    max_rows: Annotated[int, Field(ge=1, le=100_000)] = 100
    """Most rows that one call returns."""

    max_result_bytes: Annotated[int, Field(ge=1, le=67_108_864)] = 393_216
    """Most bytes that one call returns, as JSON. An answer has them twice, and
    Python's MCP client takes no event above 1 MiB."""

    statement_timeout_seconds: Annotated[int, Field(ge=1, le=3600)] = 30
    """Longest time that the database may take for one statement. Proxies cut silent
    answers after 50 to 60 s, so the server takes what is above 38 for 38."""

    requests_per_second: Annotated[int, Field(ge=1, le=100_000)] = 100
    """Calls per second and client, over time."""

    burst: Annotated[int, Field(ge=1, le=100_000)] = 200
    """Calls that a client may make at once before the rate counts."""

    max_concurrent_calls: Annotated[int, Field(ge=1, le=10_000)] = 64
    """Calls that run at the same time in one replica."""


def _scaled_by(resource: str, field: str) -> dict[str, str]:
    requested = (
        f"has(self.resources.requests) && '{resource}' in self.resources.requests"
    )
    return rule(
        f"!has(self.autoscaling) || !has(self.autoscaling.{field}) || ({requested})",
        f"autoscaling.{field} needs resources.requests.{resource}, of which it is a"
        " percentage",
    )


class HubSpec(Model):
    """What a user wants of a hub."""

    model_config = ConfigDict(
        json_schema_extra=rules(
            _scaled_by("cpu", "targetCPUUtilizationPercentage"),
            _scaled_by("memory", "targetMemoryUtilizationPercentage"),
        )
    )

    replicas: Annotated[int, Field(ge=0, le=100)] = 1
    """How many pods serve the hub; ignored while autoscaling is set."""

    image: Annotated[str, Field(max_length=512)] = ""
    """Image of the hub server; empty: the one that the operator brings."""

    image_pull_policy: PullPolicy | None = None
    """When nodes fetch the image; left out, Kubernetes decides by the tag."""

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
    """The databases; a hub without any is valid and answers health_check."""

    service: ServiceSpec = ServiceSpec()
    """The Service that clients connect to."""

    public_url: Annotated[OptionalHTTPURL, Field(alias="publicURL")] = ""
    """URL under which clients see the hub when it stands behind a proxy; it goes
    into the status, the OAuth metadata and the check of the Host header."""

    allowed_hosts: Annotated[tuple[AllowedHost, ...], Field(max_length=64)] = ()
    """Further Host header values to accept; nodes, the Service, loopback and
    publicURL are accepted by themselves."""

    trusted_proxies: Annotated[tuple[CIDR, ...], Field(max_length=64)] = ()
    """Address ranges of proxies whose X-Forwarded headers are believed."""

    transports: Transports = Transports()
    """The MCP transports that the hub offers."""

    auth: Auth = Auth()
    """Who may use the hub."""

    autoscaling: Autoscaling | None = None
    """Scale on load; while set, it rules the number of replicas."""

    disruption_budget: DisruptionBudget | None = None
    """How many replicas a node drain may take away at once; left out, a drain may
    take all of them."""

    network_policy: NetworkPolicySpec = NetworkPolicySpec()
    """Who may talk to the hub and whom it may talk to."""

    limits: Limits = Limits()
    """Bounds of every tool call."""

    resources: Resources = Resources()
    """CPU and memory of each replica."""

    pod: PodSpec = PodSpec()
    """Placement and metadata of the pods."""

    logging: Logging = Logging()
    """The servers' logs."""

    paused: bool = False
    """True: the operator changes nothing of this hub but its status."""
