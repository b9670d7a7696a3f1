"""The schema of an McpHub's `status`, for the CRD only.

The operator builds statuses in `mcphub_operator.status`; this schema determines what
the API server stores. No field has a default: a status contains only observations.
"""

from enum import StrEnum
from typing import Annotated

from pydantic import Field

from mcphub_operator.spec.backends.backend import KINDS
from mcphub_operator.spec.model import Model

_Word = Annotated[str, Field(max_length=128)]
_Text = Annotated[str, Field(max_length=512)]
_Message = Annotated[str, Field(max_length=32768)]
_Time = Annotated[str, Field(max_length=64, json_schema_extra={"format": "date-time"})]

_Kind = Annotated[str, Field(json_schema_extra={"enum": list(KINDS)})]


def _list_map(key: str) -> dict[str, object]:
    return {"x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": [key]}


class Summary(Model):
    """The columns of `kubectl get mcphubs`."""

    replicas: _Word | None = None
    """Ready and wanted replicas, such as 2/3."""

    backends: _Word | None = None
    """Connected and enabled backends, such as 2/3."""

    tools: _Word | None = None
    """Ready and declared tools, such as 3/4; empty without declared tools."""

    image: _Text | None = None
    """Image that the pods should run; during an upgrade, some still run another."""

    autoscaling: _Word | None = None
    """Minimum and maximum replicas, such as 2-10; empty without autoscaling."""


class Endpoints(Model):
    """URLs for clients; present only while the hub is Ready."""

    mcp: Annotated[str, Field(max_length=2100)] | None = None
    """URL of the streamable HTTP transport."""

    sse: Annotated[str, Field(max_length=2100)] | None = None
    """URL of the HTTP+SSE transport, while it is enabled."""

    web_socket: Annotated[str, Field(max_length=2100)] | None = None
    """URL of the WebSocket transport, while it is enabled."""


class BackendState(StrEnum):
    """State of a backend, aggregated over the ready replicas."""

    CONNECTED = "Connected"
    DEGRADED = "Degraded"
    UNREACHABLE = "Unreachable"
    UNKNOWN = "Unknown"


class BackendStatus(Model):
    """State of one backend."""

    name: Annotated[str, Field(max_length=30)]
    """Name of the backend in the spec."""

    type: _Kind | None = None
    """Kind of database."""

    state: BackendState | None = None
    """The worst state that a ready replica reports."""

    reason: _Word | None = None
    """Why the backend is not Connected, in one word."""

    message: _Message | None = None
    """The problem, and how many replicas report it."""

    last_transition_time: _Time | None = None
    """When the state last changed."""


class ToolState(StrEnum):
    """State of a declared tool, the worst over the ready replicas."""

    READY = "Ready"
    INVALID = "Invalid"
    UNCHECKED = "Unchecked"


class ToolStatus(Model):
    """A declared tool that is not Ready."""

    name: Annotated[str, Field(max_length=64)]
    """Name of the tool in the spec."""

    state: ToolState
    """Invalid: clients do not see it. Unchecked: the database was not asked yet."""

    reason: _Word | None = None
    """The reason, in one word."""

    message: _Message | None = None
    """What is wrong."""


class PromptStatus(Model):
    """A declared prompt that is not Ready."""

    name: Annotated[str, Field(max_length=64)]
    """Name of the prompt in the spec."""

    state: ToolState
    """Invalid: clients do not see it."""

    reason: _Word | None = None
    """The reason, in one word."""

    message: _Message | None = None
    """What is wrong."""


class ConditionStatus(StrEnum):
    """Status of a condition."""

    TRUE = "True"
    FALSE = "False"
    UNKNOWN = "Unknown"


class Condition(Model):
    """A condition, by the conventions of the Kubernetes API."""

    type: Annotated[str, Field(max_length=316)]
    """What the condition is about."""

    status: ConditionStatus
    """Whether the condition holds: True, False or Unknown."""

    observed_generation: Annotated[int, Field(ge=0)] | None = None
    """Generation of the spec that the condition refers to."""

    last_transition_time: _Time
    """When the status of the condition last changed."""

    reason: Annotated[str, Field(max_length=1024)]
    """The reason, in one word."""

    message: _Message
    """The reason, in a sentence."""


class HubStatus(Model):
    """The observed state of a hub."""

    observed_generation: Annotated[int, Field(ge=0)] | None = None
    """Generation of the spec that this status refers to."""

    replicas: Annotated[int, Field(ge=0)] | None = None
    """Number of pods that exist."""

    ready_replicas: Annotated[int, Field(ge=0)] | None = None
    """Number of pods that serve."""

    selector: _Text | None = None
    """Label selector of the hub's pods, for autoscalers through /scale."""

    summary: Summary | None = None
    """The columns of `kubectl get mcphubs`."""

    endpoints: Endpoints | None = None
    """URLs for clients; present only while the hub is Ready."""

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
    """State of each backend."""

    tools: Annotated[
        Annotated[
            tuple[ToolStatus, ...],
            Field(max_length=64, json_schema_extra=_list_map("name")),
        ]
        | None,
        Field(),
    ] = None
    """The declared tools that are not Ready."""

    prompts: Annotated[
        Annotated[
            tuple[PromptStatus, ...],
            Field(max_length=32, json_schema_extra=_list_map("name")),
        ]
        | None,
        Field(),
    ] = None
    """The declared prompts that are not Ready."""

    conditions: Annotated[
        Annotated[
            tuple[Condition, ...],
            Field(max_length=16, json_schema_extra=_list_map("type")),
        ]
        | None,
        Field(),
    ] = None
    """Ready, Reconciling, Stalled, SecretsResolved, BackendsReachable, ToolsValid and
    Paused, and others that the spec calls for."""
