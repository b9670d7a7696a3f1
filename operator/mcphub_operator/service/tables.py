"""All tables and the watches that fill them."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from mcphub_operator import names
from mcphub_operator.errors import ApiError
from mcphub_operator.kube.api import Api
from mcphub_operator.kube.autoscalers import AutoscalerSink
from mcphub_operator.kube.children import ChildSink, ChildTable, Wake
from mcphub_operator.kube.hubs import HubTable, list_hubs
from mcphub_operator.kube.kinds import AUTOSCALER, CHILD_KINDS, NODE, POD, SECRET
from mcphub_operator.kube.reflector import Reflector, Scope, Sink
from mcphub_operator.kube.secrets import SecretTable
from mcphub_operator.kube.surroundings import ForeignAutoscalers, NodeTable, PodTable


@dataclass(frozen=True, slots=True)
class Tables:
    """What the operator knows of the cluster."""

    hubs: HubTable
    children: ChildTable
    secrets: SecretTable
    autoscalers: ForeignAutoscalers
    pods: PodTable
    nodes: NodeTable


def build_tables(
    wake: Wake, wake_first: Wake, wake_all: Callable[[], None], wake_pods: Wake
) -> Tables:
    """Return empty tables.

    Args:
        wake: called with a hub about which there is news.
        wake_first: called with a hub that somebody has just changed.
        wake_all: called when there is news about every hub.
        wake_pods: called with a hub whose pods changed.
    """
    children = ChildTable(wake)
    return Tables(
        hubs=HubTable(wake, wake_first),
        children=children,
        secrets=SecretTable(wake, children),
        autoscalers=ForeignAutoscalers(wake),
        pods=PodTable(wake_pods),
        nodes=NodeTable(wake_all),
    )


def build_reflectors(
    api: Api, tables: Tables, namespaces: Sequence[str], relist_seconds: float
) -> list[Reflector]:
    """Return the watches for these namespaces; none means the whole cluster."""

    def reflect(scope: Scope, sink: Sink) -> Reflector:
        return Reflector(api, scope, sink, relist_seconds)

    made = [reflect(Scope(NODE), tables.nodes)]
    for namespace in namespaces or (None,):
        for kind in CHILD_KINDS:
            if kind not in (SECRET, AUTOSCALER):
                scope = Scope(kind, namespace, names.MANAGED_SELECTOR)
                made.append(reflect(scope, ChildSink(tables.children, kind)))
        secrets = Scope(SECRET, namespace, metadata_only=True)
        made.append(reflect(secrets, tables.secrets))
        autoscalers = AutoscalerSink(tables.children, tables.autoscalers)
        made.append(reflect(Scope(AUTOSCALER, namespace), autoscalers))
        pods = Scope(POD, namespace, names.PODS_SELECTOR)
        made.append(reflect(pods, tables.pods))
    return made


async def wait_synced(reflectors: Sequence[Reflector]) -> None:
    """Wait until every table is filled; nodes may stay unseen."""
    for reflector in reflectors:
        waits = [asyncio.ensure_future(reflector.synced.wait())]
        if reflector.scope.kind is NODE:
            waits.append(asyncio.ensure_future(reflector.refused.wait()))
        _, pending = await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        for each in pending:
            each.cancel()


async def relist_hubs(api: Api, hubs: HubTable, namespaces: Sequence[str]) -> None:
    """Make the table of hubs equal to what the API server has.

    Raises:
        ApiError: it could not be asked to the end.
    """
    for namespace in namespaces or (None,):
        await list_hubs(api, hubs, namespace)


async def keep_hubs_listed(
    api: Api,
    hubs: HubTable,
    namespaces: Sequence[str],
    wanted: asyncio.Event,
    period_seconds: float,
) -> None:
    """List hubs anew when asked to, and on a long period."""
    while True:
        try:
            async with asyncio.timeout(period_seconds):
                await wanted.wait()
        except TimeoutError:
            pass
        await asyncio.sleep(1)  # a list of kopf's is many events
        wanted.clear()
        try:
            await relist_hubs(api, hubs, namespaces)
        except ApiError:
            wanted.set()
