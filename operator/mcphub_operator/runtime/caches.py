"""All caches and the watches that fill them."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import structlog

from mcphub_operator import names
from mcphub_operator.cache.autoscalers import AutoscalerStore, ForeignAutoscalerCache
from mcphub_operator.cache.children import ChildCache, ChildStore, Enqueue
from mcphub_operator.cache.hubs import HubCache, list_hubs
from mcphub_operator.cache.nodes import NodeCache
from mcphub_operator.cache.optional_kind import OptionalKind
from mcphub_operator.cache.pods import PodCache
from mcphub_operator.cache.reflector import Reflector, Scope, Store
from mcphub_operator.cache.secrets import SecretCache
from mcphub_operator.client.api import Api
from mcphub_operator.client.kinds import (
    AUTOSCALER,
    CHILD_KINDS,
    DISPENSABLE,
    HTTP_ROUTE,
    HUB,
    NODE,
    POD,
    ROUTE_KINDS,
    SECRET,
)
from mcphub_operator.errors import ApiError
from mcphub_operator.settings import Settings

log = structlog.get_logger(__name__)

FIRST_LIST_SECONDS = 1.0
LONGEST_LIST_SECONDS = 10.0


@dataclass(frozen=True, slots=True)
class Caches:
    """What the operator knows of the cluster."""

    hubs: HubCache
    children: ChildCache
    secrets: SecretCache
    autoscalers: ForeignAutoscalerCache
    pods: PodCache
    nodes: NodeCache
    routes: OptionalKind


def build_caches(
    api: Api,
    enqueue: Enqueue,
    enqueue_first: Enqueue,
    enqueue_all: Callable[[], None],
    notice_pods: Enqueue,
    clock: Callable[[], float],
) -> Caches:
    """Return empty caches.

    Args:
        api: asks the API server which kinds it serves.
        enqueue: called with a hub that changed.
        enqueue_first: called with a hub that a user has just changed.
        enqueue_all: called when something changed that concerns every hub.
        notice_pods: called with a hub whose pods changed.
        clock: a monotonic clock.
    """
    children, hubs = ChildCache(enqueue), HubCache(enqueue, enqueue_first)

    def notice_routes() -> None:
        if not routes.is_served:
            children.replace(HTTP_ROUTE, None, frozenset())
        enqueue_all()

    routes = OptionalKind(api, HTTP_ROUTE, lambda: wants_route(hubs), notice_routes)
    return Caches(
        hubs=hubs,
        children=children,
        secrets=SecretCache(enqueue, children),
        autoscalers=ForeignAutoscalerCache(enqueue),
        pods=PodCache(notice_pods, clock),
        nodes=NodeCache(enqueue_all),
        routes=routes,
    )


def wants_route(hubs: HubCache) -> bool:
    """Tell whether any hub asks for an HTTPRoute."""
    return any(isinstance(s, dict) and s.get("route") for _, s in hubs.specs())


def build_reflectors(api: Api, caches: Caches, settings: Settings) -> list[Reflector]:
    """Return the watches for the settings' namespaces; none: the whole cluster."""

    def reflect(scope: Scope, store: Store) -> Reflector:
        optional = caches.routes if scope.kind is HTTP_ROUTE else None
        return Reflector(api, scope, store, settings.relist_seconds, optional)

    made = [reflect(Scope(NODE), caches.nodes)]
    apart = {SECRET, AUTOSCALER, *(() if settings.routes else ROUTE_KINDS)}
    for namespace in settings.namespaces or (None,):
        for kind in CHILD_KINDS:
            if kind not in apart:
                scope = Scope(kind, namespace, names.MANAGED_SELECTOR)
                made.append(reflect(scope, ChildStore(caches.children, kind)))
        secrets = Scope(SECRET, namespace, metadata_only=True)
        made.append(reflect(secrets, caches.secrets))
        autoscalers = AutoscalerStore(caches.children, caches.autoscalers)
        made.append(reflect(Scope(AUTOSCALER, namespace), autoscalers))
        pods = Scope(POD, namespace, names.PODS_SELECTOR)
        made.append(reflect(pods, caches.pods))
    return made


async def wait_synced(reflectors: Sequence[Reflector]) -> None:
    """Wait until every cache is filled.

    Dispensable kinds may stay unseen, and a namespace that refuses its lists: see
    `served`.
    """
    for reflector in reflectors:
        waits = [asyncio.ensure_future(reflector.synced.wait())]
        scope = reflector.scope
        if scope.kind in DISPENSABLE or scope.namespace is not None:
            waits.append(asyncio.ensure_future(reflector.refused.wait()))
        _, pending = await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        for each in pending:
            each.cancel()


async def relist_hubs(
    api: Api, hubs: HubCache, namespaces: Sequence[str | None]
) -> None:
    """Make the cache of hubs equal to what the API server has; log a failure.

    Args:
        api: asks the API server.
        hubs: the cache.
        namespaces: what to list; None is the whole cluster.

    Raises:
        ApiError: it could not be asked to the end.
    """
    for namespace in namespaces:
        try:
            await list_hubs(api, hubs, namespace)
        except ApiError as error:
            where = namespace or "all"
            log.warning(
                "list_failed", kind=HUB.name, namespace=where, error=error.message
            )
            raise


async def keep_hubs_listed(
    api: Api,
    hubs: HubCache,
    find_namespaces: Callable[[], Sequence[str | None]],
    wanted: asyncio.Event,
    period_seconds: float,
) -> None:
    """List hubs again when asked to, and periodically.

    A list that fails is made again later and later.
    """
    delay = FIRST_LIST_SECONDS
    while True:
        try:
            async with asyncio.timeout(period_seconds):
                await wanted.wait()
        except TimeoutError:
            pass
        await asyncio.sleep(delay)  # a list of kopf's is many events
        wanted.clear()
        try:
            await relist_hubs(api, hubs, find_namespaces())
            delay = FIRST_LIST_SECONDS
        except ApiError:
            delay = min(delay * 2, LONGEST_LIST_SECONDS)
            wanted.set()
