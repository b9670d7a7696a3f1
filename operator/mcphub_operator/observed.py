"""What one pass knows: everything that was read, in one immutable value.

All reading happens before any deciding (`reconcile.gather`); what follows are pure
functions of an `Observed`, which is what makes them testable by caches.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple

import msgspec

from mcphub_operator.certificates import Certificate
from mcphub_operator.resources.manifest import ChildId
from mcphub_operator.resources.secrets import Data, GeneratedSecrets
from mcphub_operator.spec.hub import Hub
from mcphub_operator.status.ended_pods import EndedPod
from mcphub_operator.status.pod_faults import PodFault
from mcphub_operator.status.pod_waits import PodWait, VolumeSource


class HubKey(NamedTuple):
    """Which hub; the unit of work."""

    namespace: str
    name: str

    def __str__(self) -> str:
        return f"{self.namespace}/{self.name}"


@dataclass(frozen=True, slots=True)
class Platform:
    """What is the same for all hubs of this operator."""

    operator_version: str
    server_image: str
    operator_namespace: str = ""
    installation: str = ""
    """The Lease of this installation of the operator, which no other one shares."""
    metrics_grace_seconds: float = 120.0
    """How long an autoscaler may be without metrics before the status says so."""
    address_grace_seconds: float = 180.0
    """How long a load balancer may be without an address before the hub stalls."""
    routes: bool = True
    """Whether the operator writes HTTPRoutes and Ingresses."""
    image_pull_secrets: tuple[str, ...] = ()
    """Secrets to pull images with, for hubs that name none."""


@dataclass(frozen=True, slots=True)
class CachedObject:
    """A child as the API server has it, kept as compact JSON.

    A thousand hubs have nine thousand of them, and most are never looked at again:
    as bytes they take a fifth of the memory.
    """

    uid: str
    version: int
    owner_uid: str
    hub: HubKey
    text: bytes = field(repr=False)
    holds_replicas: bool = False
    rivals: tuple[str, ...] = ()
    """Field managers beside the operator that changed more than the status."""
    installation: str = ""
    """The installation of the operator that the object names."""
    waits_for: tuple[str, ...] = ()
    """The finalizers for which its deletion waits; none if it is not being deleted."""
    applied_at: str = ""
    """When an apply of the operator last changed it, as the API server says."""
    changed_at: str = ""
    """When any owner last changed more than the status, as the API server says."""
    settled: bool = False
    """The API server's answer to our own apply: what differs in it is its spelling."""

    def read(self) -> dict[str, Any]:
        """Return the object."""
        found: dict[str, Any] = msgspec.json.decode(self.text)
        return found


@dataclass(frozen=True, slots=True)
class MissingKey:
    """A Secret, or a key of one, that a hub needs and that is not there."""

    secret: str
    key: str = ""


@dataclass(frozen=True, slots=True)
class UserSecrets:
    """What was found out about the Secrets that a hub refers to."""

    hash: str = ""
    missing: tuple[MissingKey, ...] = ()
    certificate: Certificate | None = None
    """Of a hub with TLS whose Secret has both keys."""


@dataclass(frozen=True, slots=True)
class OwnSecret:
    """A Secret that the operator makes: its data and what it remembers."""

    data: Data = field(repr=False)
    annotations: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class BackendReport:
    """What one replica says about one backend."""

    name: str
    state: str
    reason: str = ""
    message: str = ""


@dataclass(frozen=True, slots=True)
class AuthReport:
    """What one replica says about authentication; no reason if nothing is wrong."""

    reason: str = ""
    message: str = ""


@dataclass(frozen=True, slots=True)
class ToolReport:
    """What one replica says about one declared tool or prompt."""

    name: str
    state: str
    reason: str = ""
    message: str = ""


@dataclass(frozen=True, slots=True)
class TracingReport:
    """How a replica's export of traces goes."""

    state: str
    reason: str = ""
    message: str = ""


@dataclass(frozen=True, slots=True)
class PodReport:
    """What one replica says about itself; `answered` is False if it did not."""

    answered: bool
    version: str = ""
    backends: tuple[BackendReport, ...] = ()
    auth: AuthReport | None = None
    """None of a server that is older than this report."""
    tools: tuple[ToolReport, ...] = ()
    prompts: tuple[ToolReport, ...] = ()
    digest: str | None = None
    """Which live configuration it runs; None: its version knows none."""
    problem: str = ""
    """Why it refuses the live configuration that it was given."""
    warnings: tuple[str, ...] = ()
    tracing: TracingReport | None = None
    """None without traces."""


@dataclass(frozen=True, slots=True)
class Pod:
    """A replica, as far as the status needs it."""

    name: str
    uid: str
    address: str = ""
    ready: bool = False
    terminating: bool = False
    fault: PodFault | None = None
    """Why it is not ready, if its status says so."""
    wait: PodWait | None = None
    """What it waits for, if it is not ready."""
    node: str = ""
    """Where it runs, if it was placed."""
    live: str = ""
    """The live configuration of which its kubelet was last told."""


@dataclass(frozen=True, slots=True, order=True)
class Node:
    """A node, as far as a NodePort URL needs it."""

    name: str
    ready: bool = False
    addresses: tuple[str, ...] = ()
    """Where clients reach its ports: external ones first, and among those of a kind
    the node's first family."""


@dataclass(frozen=True, slots=True)
class UpgradeTurn:
    """Whether this hub may roll for a new operator version now."""

    granted: bool = True
    stuck_hub: str = ""
    """The hub that did not come Ready and therefore stops the others, if any."""


@dataclass(frozen=True, slots=True)
class Observed:
    """One hub and all that concerns it."""

    hub: Hub
    platform: Platform
    generated: GeneratedSecrets = field(repr=False)
    now: datetime
    status: Mapping[str, Any] = field(default_factory=dict)
    children: Mapping[ChildId, CachedObject] = field(default_factory=dict)
    foreign: tuple[ChildId, ...] = ()
    """Objects of a child's name that belong to another owner."""
    refusals: Mapping[ChildId, str] = field(default_factory=dict)
    """Why a foreign object that is offered for adoption is not adopted."""
    shared_secrets: frozenset[str] = frozenset()
    """Secrets of the operator's that another hub reads: they outlive this hub."""
    is_exchanging_ports: bool = False
    """Whether this hub waits, over other hubs, for the node port that it holds."""
    referenced_secrets: frozenset[str] = frozenset()
    """Secrets that a spec of any hub of the namespace names."""
    stale: tuple[ChildId, ...] = ()
    """Children of a deleted hub of the same name, which are about to go."""
    free: frozenset[ChildId] = frozenset()
    """Children whose names this pass looked up, and found free."""
    foreign_autoscalers: tuple[str, ...] = ()
    """Autoscalers of the hub's Deployment that are not the operator's."""
    hub_autoscalers: tuple[str, ...] = ()
    """Autoscalers whose target is the McpHub."""
    user_secrets: UserSecrets = UserSecrets()
    own_secrets: Mapping[str, OwnSecret] = field(default_factory=dict)
    pods: tuple[Pod, ...] = ()
    ended_pod: EndedPod | None = None
    """The pod that was evicted, failed or completed last."""
    pods_unchanged_seconds: float | None = None
    """For how long no pod of the hub has come, changed or gone; None: not known."""
    missing_sources: tuple[VolumeSource, ...] = ()
    """What pods wait to mount, and what does not exist."""
    pull_faults: tuple[str, ...] = ()
    """What is wrong with Secrets for pulling, if an image cannot be pulled."""
    reports: Mapping[str, PodReport] = field(default_factory=dict)
    """By pod uid; a pod that was not asked yet has none."""
    nodes: tuple[Node, ...] | None = None
    """None where the operator may not see nodes."""
    upgrade: UpgradeTurn = UpgradeTurn()
    has_gateway_api: bool = False
    """Whether the cluster serves HTTPRoutes."""

    @property
    def untouchable(self) -> frozenset[ChildId]:
        """Return whose names are taken by objects that are not this hub's."""
        return frozenset((*self.foreign, *self.stale))
