"""The shape of an McpHub's `status`, for the CRD alone.

The operator builds statuses elsewhere; here stands what the API server stores of
them. No field has a default: a status says what was seen, and nothing else.
"""

from enum import StrEnum
from typing import Annotated

from pydantic import Field

from mcphub_operator.spec.backends import BackendType
from mcphub_operator.spec.model import Model

_Word = Annotated[str, Field(max_length=128)]
_Text = Annotated[str, Field(max_length=512)]
_Message = Annotated[str, Field(max_length=32768)]
_Time = Annotated[str, Field(max_length=64, json_schema_extra={"format": "date-time"})]


def _list_map(key: str) -> dict[str, object]:
    return {"x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": [key]}


class Summary(Model):
    """What `kubectl get mcphubs` shows."""

    replicas: _Word | None = None
    """Ready and wanted replicas, such as 2/3."""

    backends: _Word | None = None
    """Connected and enabled backends, such as 2/3."""

    image: _Text | None = None
    """Image that the pods should run; during an upgrade not all do yet."""

    autoscaling: _Word | None = None
    """Fewest and most replicas, such as 2-10; empty without autoscaling."""


class Endpoints(Model):
    """Where clients reach the hub; present only while it is Ready."""

    mcp: Annotated[str, Field(max_length=2100)] | None = None
    """URL of the streamable HTTP transport."""

    sse: Annotated[str, Field(max_length=2100)] | None = None
    """URL of the older transport, while it is enabled."""


class BackendState(StrEnum):
    """How a backend does, seen from the ready replicas together."""

    CONNECTED = "Connected"
    DEGRADED = "Degraded"
    UNREACHABLE = "Unreachable"
    UNKNOWN = "Unknown"


class BackendStatus(Model):
    """How one backend does."""

    name: Annotated[str, Field(max_length=30)]
    """Name of the backend in the spec."""

    type: BackendType | None = None
    """Kind of database."""

    state: BackendState | None = None
    """Connected, Degraded, Unreachable or Unknown; the worst over all replicas."""

    reason: _Word | None = None
    """Why it is not Connected, in one word."""

    message: _Message | None = None
    """What is wrong and how many replicas see it."""

    last_transition_time: _Time | None = None
    """When the state changed last."""


class ConditionStatus(StrEnum):
    """Whether a condition holds."""

    TRUE = "True"
    FALSE = "False"
    UNKNOWN = "Unknown"


class Condition(Model):
    """One condition, by the conventions of the Kubernetes API."""

    type: Annotated[str, Field(max_length=316)]
    """Ready, Reconciling, Stalled, SecretsResolved, BackendsReachable or Paused."""

    status: ConditionStatus
    """Whether it holds."""

    observed_generation: Annotated[int, Field(ge=0)] | None = None
    """Generation of the spec that it speaks of."""

    last_transition_time: _Time
    """When the status changed last."""

    reason: Annotated[str, Field(max_length=1024)]
    """Why, in one word."""

    message: _Message
    """Why, in a sentence."""


class HubStatus(Model):
    """What the operator sees of a hub."""

    observed_generation: Annotated[int, Field(ge=0)] | None = None
    """Generation of the spec that this status speaks of."""

    replicas: Annotated[int, Field(ge=0)] | None = None
    """Pods that exist."""

    ready_replicas: Annotated[int, Field(ge=0)] | None = None
    """Pods that serve."""

    selector: _Text | None = None
    """Selects the hub's pods; the /scale subresource hands it to autoscalers."""

    summary: Summary | None = None
    """The columns of `kubectl get mcphubs`."""

    endpoints: Endpoints | None = None
    """Where clients reach the hub; present only while it is Ready."""

    server_version: _Word | None = None
    """Version that the servers report."""

    backends: Annotated[
        Annotated[
            tuple[BackendStatus, ...],
            Field(max_length=32, json_schema_extra=_list_map("name")),
        ]
        | None,
        Field(),
    ] = None
    """How each backend does."""

    conditions: Annotated[
        Annotated[
            tuple[Condition, ...],
            Field(max_length=16, json_schema_extra=_list_map("type")),
        ]
        | None,
        Field(),
    ] = None
    """Ready, Reconciling, Stalled, SecretsResolved, BackendsReachable, Paused."""
