"""Which part gets which: the only place that knows all of them."""

import secrets
import socket
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version

from mcphub_operator.kube.api import Api
from mcphub_operator.kube.connection import Connection, find_own_namespace
from mcphub_operator.kube.lease import RENEW_DEADLINE_SECONDS, Claim, Elector
from mcphub_operator.kube.writer import Writer
from mcphub_operator.observed import Platform
from mcphub_operator.reconcile.execute import Executor
from mcphub_operator.reconcile.gather import Sources, World
from mcphub_operator.reconcile.health import DirectReach, HealthBoard, ProxyReach
from mcphub_operator.reconcile.news import Newsroom
from mcphub_operator.reconcile.queue import WorkQueue
from mcphub_operator.reconcile.reconciler import Reconciler
from mcphub_operator.reconcile.secrets import SecretReader
from mcphub_operator.reconcile.upgrades import UpgradeGate
from mcphub_operator.resources.secrets import KEY_BYTES, Fresh
from mcphub_operator.service.tables import Tables
from mcphub_operator.settings import PodAccess, Settings

DEFAULT_NAMESPACE = "default"


@dataclass(frozen=True, slots=True)
class Parts:
    """What a reconciler is made of."""

    api: Api
    writer: Writer
    tables: Tables
    board: HealthBoard
    queue: WorkQueue


def now() -> datetime:
    """Return the present time."""
    return datetime.now(UTC)


def make_fresh() -> Fresh:
    """Return random material for one pass."""
    keys = (secrets.token_hex(KEY_BYTES).encode() for _ in range(3))
    return Fresh(secrets.token_urlsafe(KEY_BYTES).encode(), *keys)


def always_open() -> float:
    """Fence of an operator that runs alone: there is always time to write."""
    return RENEW_DEADLINE_SECONDS


def build_identity(settings: Settings) -> str:
    """Return this replica's name in the Lease."""
    return settings.identity or f"{socket.gethostname()}_{secrets.token_hex(4)}"


def build_elector(settings: Settings, api: Api, identity: str) -> Elector | None:
    """Return the elector; None if this operator runs alone."""
    if not settings.leader_election:
        return None
    namespace = settings.lease_namespace or find_own_namespace() or DEFAULT_NAMESPACE
    claim = Claim(namespace, settings.lease_name, identity)
    return Elector(api, claim, time.monotonic, now)


def build_reach(
    settings: Settings, connection: Connection, api: Api
) -> DirectReach | ProxyReach:
    """Return the way to pods' management ports."""
    inside = connection.in_cluster and settings.pod_access is PodAccess.AUTO
    if inside or settings.pod_access is PodAccess.DIRECT:
        return DirectReach(connection.session)
    return ProxyReach(api)


def build_reconciler(settings: Settings, parts: Parts, identity: str) -> Reconciler:
    """Return the reconciler."""
    tables, operator_version = parts.tables, version("mcphub")
    secrets = SecretReader(parts.api, tables.secrets)
    platform = Platform(operator_version, settings.server_image, find_own_namespace())
    return Reconciler(
        sources=Sources(
            api=parts.api,
            hubs=tables.hubs,
            children=tables.children,
            pods=tables.pods,
            nodes=tables.nodes,
            autoscalers=tables.autoscalers,
            secrets=secrets,
            reports=parts.board.find,
        ),
        world=World(platform, now, make_fresh),
        executor=Executor(parts.writer, tables.children, secrets),
        upgrades=UpgradeGate(
            tables.children,
            operator_version,
            settings.upgrade_concurrency,
            parts.queue.add,
        ),
        news=Newsroom(parts.writer, identity, now),
    )
