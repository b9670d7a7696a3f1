"""Which part gets which: the only place that knows all of them."""

import secrets
import socket
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version

from mcphub_operator.client.api import Api
from mcphub_operator.client.connection import Connection, find_own_namespace
from mcphub_operator.client.writer import Writer
from mcphub_operator.leader_election import (
    RENEW_DEADLINE_SECONDS,
    LeaderElector,
    LeaseSpec,
)
from mcphub_operator.observed import Platform
from mcphub_operator.reconcile.budget import WriteBudget
from mcphub_operator.reconcile.claims import HubClaims
from mcphub_operator.reconcile.events import EventRecorder
from mcphub_operator.reconcile.execute import Executor
from mcphub_operator.reconcile.gather import Environment, Sources
from mcphub_operator.reconcile.installations import Installations
from mcphub_operator.reconcile.pod_refresh import PodRefresher
from mcphub_operator.reconcile.queue import WorkQueue
from mcphub_operator.reconcile.reconciler import Reconciler
from mcphub_operator.reconcile.refusals import RefusedWrites
from mcphub_operator.reconcile.secrets import SecretReader
from mcphub_operator.reconcile.status_poller import (
    DirectStatusClient,
    ProxyStatusClient,
    StatusPoller,
)
from mcphub_operator.reconcile.upgrades import UpgradeGate
from mcphub_operator.resources.secrets import KEY_BYTES, GeneratedSecrets
from mcphub_operator.runtime.caches import Caches
from mcphub_operator.settings import PodAccess, Settings

DEFAULT_NAMESPACE = "default"


@dataclass(frozen=True, slots=True)
class Parts:
    """What a reconciler is made of."""

    api: Api
    writer: Writer
    caches: Caches
    poller: StatusPoller
    queue: WorkQueue
    held_back: Callable[[str], None]


def now() -> datetime:
    """Return the present time."""
    return datetime.now(UTC)


def generate_secrets() -> GeneratedSecrets:
    """Return random material for one pass."""
    keys = (secrets.token_hex(KEY_BYTES).encode() for _ in range(3))
    return GeneratedSecrets(secrets.token_urlsafe(KEY_BYTES).encode(), *keys)


def always_open() -> float:
    """Fence of an operator that runs alone: there is always time to write."""
    return RENEW_DEADLINE_SECONDS


def build_identity(settings: Settings) -> str:
    """Return this replica's name in the Lease."""
    return settings.identity or f"{socket.gethostname()}_{secrets.token_hex(4)}"


def find_namespace(settings: Settings) -> str:
    """Return the namespace of the Lease."""
    return settings.lease_namespace or find_own_namespace() or DEFAULT_NAMESPACE


def build_elector(settings: Settings, api: Api, identity: str) -> LeaderElector | None:
    """Return the elector; None if this operator runs alone."""
    if not settings.leader_election:
        return None
    lease_spec = LeaseSpec(find_namespace(settings), settings.lease_name, identity)
    return LeaderElector(api, lease_spec, time.monotonic, now)


def build_status_client(
    settings: Settings, connection: Connection, api: Api
) -> DirectStatusClient | ProxyStatusClient:
    """Return the way to pods' management ports."""
    inside = connection.in_cluster and settings.pod_access is PodAccess.AUTO
    if inside or settings.pod_access is PodAccess.DIRECT:
        return DirectStatusClient(connection.session)
    return ProxyStatusClient(api)


def build_reconciler(settings: Settings, parts: Parts, identity: str) -> Reconciler:
    """Return the reconciler."""
    caches, operator_version = parts.caches, version("mcphub")
    secrets = SecretReader(parts.api, caches.secrets)
    platform = Platform(
        operator_version,
        settings.server_image,
        find_own_namespace(),
        f"{find_namespace(settings)}/{settings.lease_name}",
        settings.metrics_grace_seconds,
        settings.address_grace_seconds,
        settings.routes,
        settings.image_pull_secrets,
    )
    events = EventRecorder(parts.writer, identity, now)
    return Reconciler(
        sources=Sources(
            api=parts.api,
            hubs=caches.hubs,
            children=caches.children,
            pods=caches.pods,
            nodes=caches.nodes,
            autoscalers=caches.autoscalers,
            routes=caches.routes,
            secrets=secrets,
            reports=parts.poller.find,
        ),
        environment=Environment(platform, now, generate_secrets),
        executor=Executor(
            parts.writer,
            caches.children,
            secrets,
            WriteBudget(time.monotonic, parts.held_back),
            RefusedWrites(time.monotonic),
        ),
        refresher=PodRefresher(parts.writer, caches.pods),
        upgrades=UpgradeGate(
            caches.children,
            operator_version,
            settings.upgrade_concurrency,
            parts.queue.add,
        ),
        events=events,
        claims=HubClaims(
            Installations(platform.installation, time.monotonic),
            parts.writer,
            caches.children,
            events,
        ),
    )
