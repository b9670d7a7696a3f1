"""The operator's life: check, list, wait for the lease, work, end in order.

The end: no new pass is begun, the write in hand is finished, the Lease is given back.
A leader that lost its Lease ends the process; the kubelet restarts it.
"""

import asyncio
import gc
import signal
import time
from collections import Counter
from typing import Any

import structlog

from mcphub_operator.client.api import Api, Observer, Request
from mcphub_operator.client.connection import Connection, open_connection
from mcphub_operator.client.definition import check_definition
from mcphub_operator.client.writer import Writer
from mcphub_operator.errors import (
    ApiError,
    LeaseLost,
    WatchLost,
    WrongResourceDefinition,
)
from mcphub_operator.metrics import Metrics
from mcphub_operator.observed import HubKey
from mcphub_operator.reconcile.backoff import Backoff
from mcphub_operator.reconcile.queue import WorkQueue
from mcphub_operator.reconcile.status_poller import StatusPoller
from mcphub_operator.reconcile.workers import WorkerPool, observe_nothing
from mcphub_operator.runtime.caches import (
    build_caches,
    build_reflectors,
    keep_hubs_listed,
    relist_hubs,
    wait_synced,
)
from mcphub_operator.runtime.probes import Readiness, serve_probes
from mcphub_operator.runtime.served import ServedNamespaces
from mcphub_operator.runtime.wiring import (
    Parts,
    always_open,
    build_elector,
    build_identity,
    build_reconciler,
    build_status_client,
)
from mcphub_operator.settings import Settings
from mcphub_operator.tracing.factory import Tracing, build_tracing
from mcphub_operator.watch.thread import WatchedHubs, watching_hubs

log = structlog.get_logger(__name__)

ASK_AGAIN_SECONDS = 5.0


class Operator:
    """The parts of one operator process, wired together."""

    def __init__(
        self,
        settings: Settings,
        connection: Connection,
        metrics: Metrics,
        tracing: Tracing | None = None,
    ) -> None:
        self.settings = settings
        self.connection = connection
        self.metrics = metrics
        self.readiness = Readiness()
        self.queue = WorkQueue(time.monotonic)
        self.pods_changed = asyncio.Event()
        self.hubs_wanted = asyncio.Event()
        observe = build_observer(metrics, tracing)
        self.api = Api(connection, observe)
        self.caches = build_caches(
            self.api,
            self.queue.add,
            self.queue.add_first,
            self.enqueue_all,
            self._notice_pods,
            time.monotonic,
        )
        self.reflectors = build_reflectors(self.api, self.caches, settings)
        self.served = ServedNamespaces(
            self.api, settings.namespaces, self.reflectors, self._report_namespaces
        )
        identity = build_identity(settings)
        self.elector = build_elector(settings, self.api, identity)
        client = build_status_client(settings, connection, self.api)
        self.poller = StatusPoller(client, self.queue.add)
        fence = self.elector.seconds_left if self.elector else always_open
        calls = Api(connection, observe, pooled=True)
        writer = Writer(calls, fence)
        parts = Parts(
            calls, writer, self.caches, self.poller, self.queue, metrics.held_back
        )
        reconciler = build_reconciler(settings, parts, identity)
        passes = tracing.reconciling if tracing else observe_nothing
        self.workers = WorkerPool(self.queue, Backoff(), reconciler, metrics, passes)

    def enqueue_all(self) -> None:
        """Ask for a pass over every hub."""
        for key in self.caches.hubs.keys():  # noqa: SIM118 - a method of ours
            self.queue.add(key)

    def deliver(self, kind: str | None, item: dict[str, Any]) -> None:
        """Take one of kopf's events."""
        if kind == "DELETED":
            self.caches.hubs.remove(item)
        elif kind is None:
            # kopf lists again when its watch lost its place: what was deleted
            # meanwhile is in no event.
            self.caches.hubs.upsert(item)
            self.hubs_wanted.set()
        else:
            self.caches.hubs.see(item)

    def refresh_metrics(self) -> None:
        """Bring the gauges up to date."""
        self.metrics.queue_depth.set(len(self.queue))
        self.metrics.queue_age.set(self.queue.oldest_seconds)
        leads = self.elector is None or self.elector.is_leader
        self.metrics.leader.set(leads)
        counts: Counter[tuple[str, str]] = Counter()
        for key in self.caches.hubs.keys():  # noqa: SIM118 - a method of ours
            entry = self.caches.hubs.find(key)
            counts.update(entry.conditions if entry else ())
        self.metrics.count_hubs(counts)
        left = self.workers.reconciler.claims.installations.count_left
        self.metrics.hubs_left.set(left)

    async def lead(self) -> None:
        """Follow the cluster, and work while holding the lease, until cancelled.

        Raises:
            LeaseLost: it could not be renewed; the process must end.
        """
        await self._await_definition()
        async with asyncio.TaskGroup() as group:
            for reflector in self.reflectors:
                group.create_task(reflector.run())
            self.readiness.reason = "listing"
            await wait_synced(self.reflectors)
            await self._await_namespaces()
            await self._list_hubs()
            async with watching_hubs(self._build_watch()) as watch:
                log.info("synced", hubs=len(self.caches.hubs.keys()))
                group.create_task(self._keep_listed())
                group.create_task(_follow(watch))
                group.create_task(self.served.keep_looking())
                await self._work()

    def _build_watch(self) -> WatchedHubs:
        return WatchedHubs(
            self.connection,
            lambda: self.served.names,
            self.served.changed,
            self.deliver,
            self._prepare_watch,
            self._report_watch,
        )

    async def _prepare_watch(self) -> None:
        """Wait for the definition, and have everything listed once it is there."""
        await self._await_definition()
        await self._await_namespaces()
        self.hubs_wanted.set()

    async def _await_namespaces(self) -> None:
        """Wait until at least one namespace can be served."""
        await self.served.look()
        while not self.served.scopes:
            self.readiness.reason = self.served.describe()
            await asyncio.sleep(ASK_AGAIN_SECONDS)
            await self.served.look()

    def _report_namespaces(self) -> None:
        self.readiness.note = self.served.describe()
        for name in self.served.chosen:
            served = name not in self.served.refusals
            self.metrics.note_namespace(name, served=served)

    def _report_watch(self, problem: str) -> None:
        self.readiness.reason = problem

    async def _work(self) -> None:
        if self.elector is None:
            await self._run_workers()
            return
        try:
            await self.elector.acquire()
            async with asyncio.TaskGroup() as group:
                group.create_task(self.elector.hold())
                group.create_task(self._run_workers())
        finally:
            await asyncio.shield(self.elector.release())

    async def _run_workers(self) -> None:
        await self._prefetch_secrets()
        self.enqueue_all()
        async with asyncio.TaskGroup() as group:
            group.create_task(self.workers.run(self.settings.workers))
            group.create_task(self._follow_pods(group))
            group.create_task(self._resync())

    async def _resync(self) -> None:
        while True:
            await asyncio.sleep(self.settings.relist_seconds)
            self.enqueue_all()

    async def _follow_pods(self, group: asyncio.TaskGroup) -> None:
        self.pods_changed.set()
        while True:
            await self.pods_changed.wait()
            self.pods_changed.clear()
            self.poller.follow(group, self.caches.pods.all())
            # Pods come and go in crowds; one look at all of them serves many changes.
            await asyncio.sleep(0.1)

    async def _keep_listed(self) -> None:
        await keep_hubs_listed(
            self.api,
            self.caches.hubs,
            lambda: self.served.scopes,
            self.hubs_wanted,
            self.settings.relist_seconds,
        )

    async def _await_definition(self) -> None:
        while True:
            try:
                await check_definition(self.api)
            except (WrongResourceDefinition, ApiError) as error:
                self.readiness.reason = str(error)
                log.error("not_started", problem=str(error))  # noqa: TRY400
                await asyncio.sleep(ASK_AGAIN_SECONDS)
            else:
                return

    async def _list_hubs(self) -> None:
        while True:
            try:
                await relist_hubs(self.api, self.caches.hubs, self.served.scopes)
            except ApiError:
                await asyncio.sleep(1)
            else:
                return

    async def _prefetch_secrets(self) -> None:
        for namespace in self.served.scopes:
            try:
                await self.workers.reconciler.sources.secrets.prefetch(namespace)
            except ApiError as error:
                where = namespace or "all"
                log.warning(
                    "list_failed", kind="Secret", namespace=where, error=error.message
                )

    def _notice_pods(self, key: HubKey) -> None:
        self.pods_changed.set()
        self.queue.add(key)


async def _follow(watch: asyncio.Task[None]) -> None:
    """Fail as the watch does."""
    await asyncio.shield(watch)


def build_observer(metrics: Metrics, tracing: Tracing | None) -> Observer:
    """Return what is told of each request to the API server."""
    if tracing is None:
        return metrics.requested
    record = tracing.requested

    def observe(request: Request) -> None:
        metrics.requested(request)
        record(request)

    return observe


async def run_operator(settings: Settings, *, traces: bool = False) -> int:
    """Run until told to stop; return the exit code."""
    metrics = Metrics()
    tracing = build_tracing(metrics.registry) if traces else None
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for each in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(each, stop.set)
    # What was imported stays: looking through it again and again only takes time.
    gc.freeze()
    async with open_connection(settings.kubeconfig) as connection:
        operator = Operator(settings, connection, metrics, tracing)
        async with serve_probes(
            settings.http_port,
            operator.readiness,
            metrics.registry,
            operator.refresh_metrics,
        ):
            try:
                return await _run_until(stop, operator)
            finally:
                if tracing is not None:
                    await asyncio.to_thread(tracing.close)


async def _run_until(stop: asyncio.Event, operator: Operator) -> int:
    work = asyncio.create_task(operator.lead())
    stopping = asyncio.create_task(stop.wait())
    await asyncio.wait({work, stopping}, return_when=asyncio.FIRST_COMPLETED)
    stopping.cancel()
    work.cancel()
    try:
        await work
    except asyncio.CancelledError:
        log.info("stopped")
    except BaseExceptionGroup as failures:
        lost = failures.subgroup((LeaseLost, WatchLost))
        if lost is None:
            raise
        event = "lease_lost" if failures.subgroup(LeaseLost) else "watch_lost"
        log.error(event, action="exiting for a restart")  # noqa: TRY400
        return 1
    return 0
