"""All the reading of a pass, into one `Observed`.

Nearly everything comes from the caches that the watches fill. The API server is asked
for Secrets whose version changed, and, before a child is created, whether the hub still
exists: a cache may lag, and a lagging view must not decide a creation. Whether a
child's name is free the API server decides while it writes; only when a name is taken
does the pass take a closer look, at everything and slower.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from enum import Enum
from typing import Any

from mcphub_operator import names
from mcphub_operator.cache.autoscalers import ForeignAutoscalerCache
from mcphub_operator.cache.children import ChildCache, build_cached, find_owner
from mcphub_operator.cache.hubs import HubCache
from mcphub_operator.cache.nodes import NodeCache
from mcphub_operator.cache.pods import PodCache
from mcphub_operator.client.api import Api, Object
from mcphub_operator.client.concurrency import run_together
from mcphub_operator.client.kinds import BY_NAME, HUB, SECRET
from mcphub_operator.errors import NotFound
from mcphub_operator.observed import HubKey, Observed, Platform, PodReport
from mcphub_operator.reconcile.secrets import SecretReader
from mcphub_operator.resources.children import wanted_children
from mcphub_operator.resources.manifest import ChildId
from mcphub_operator.resources.secrets import GeneratedSecrets
from mcphub_operator.spec.hub import Hub

Reports = Callable[[str], PodReport | None]
"""What a pod, by its uid, last said of itself."""


@dataclass(frozen=True, slots=True)
class Sources:
    """Where a pass reads."""

    api: Api
    hubs: HubCache
    children: ChildCache
    pods: PodCache
    nodes: NodeCache
    autoscalers: ForeignAutoscalerCache
    secrets: SecretReader
    reports: Reports


@dataclass(frozen=True, slots=True)
class Environment:
    """What a pass cannot compute: the platform, time and chance."""

    platform: Platform
    now: Callable[[], datetime]
    generated: Callable[[], GeneratedSecrets]


class HubGone(Exception):
    """The hub was deleted or recreated after the cache last saw it."""


async def gather(
    sources: Sources,
    environment: Environment,
    hub: Hub,
    status: Mapping[str, Any],
    *,
    ask: bool = False,
) -> Observed:
    """Read everything about a hub.

    Args:
        sources: where to read.
        environment: the platform, time and randomness.
        hub: the hub.
        status: its status before the pass.
        ask: request each Secret, whatever the caches say.
    """
    key = HubKey(hub.namespace, hub.name)
    generated = environment.generated()
    secrets = await sources.secrets.read(hub, generated, ask=ask)
    children = {
        child: live
        for child, live in sources.children.of(key).items()
        if child in wanted_children(hub) or live.owner_uid == hub.uid
    }

    def owner(child: ChildId) -> Owner:
        return find_relation(hub, children[child].read()["metadata"])

    pods = sources.pods.of(key)
    asked = {pod.uid: sources.reports(pod.uid) for pod in pods}
    return Observed(
        hub=hub,
        platform=environment.platform,
        generated=generated,
        now=environment.now(),
        status=status,
        children={c: live for c, live in children.items() if owner(c) is Owner.HUB},
        foreign=tuple(c for c in children if owner(c) is Owner.UNOWNED),
        stale=tuple(c for c in children if owner(c) is Owner.PREVIOUS_OWNER),
        foreign_autoscalers=sources.autoscalers.of(key),
        user_secrets=secrets.user,
        own_secrets=secrets.own,
        free=frozenset(ChildId(SECRET.name, name) for name in secrets.free),
        pods=pods,
        reports={uid: report for uid, report in asked.items() if report is not None},
        nodes=sources.nodes.all(),
    )


async def check_alive(sources: Sources, hub: Hub) -> None:
    """Ask the API server whether the hub still exists.

    Raises:
        HubGone: it was deleted or recreated.
    """
    try:
        found = await sources.api.get_metadata(HUB, hub.namespace, hub.name)
    except NotFound as error:
        raise HubGone from error
    if found["metadata"]["uid"] != hub.uid:
        raise HubGone


async def look_up(
    sources: Sources, observed: Observed, unknown: Iterable[ChildId]
) -> Observed:
    """Ask the API server for children that are missing from the cache."""
    hub = observed.hub
    children = [child for child in unknown if child not in observed.free]
    looks = (_look(sources.api, hub.namespace, child) for child in children)
    answers = dict(zip(children, await run_together(looks), strict=True))
    found = {child: item for child, item in answers.items() if item is not None}
    owners = {c: find_relation(hub, item["metadata"]) for c, item in found.items()}
    unowned = (c for c, owner in owners.items() if owner is Owner.UNOWNED)
    stale = (c for c, owner in owners.items() if owner is Owner.PREVIOUS_OWNER)
    # The cache lags, or a label was removed: the child exists and keeps its replicas.
    there = {c: build_cached(found[c]) for c, o in owners.items() if o is Owner.HUB}
    return replace(
        observed,
        children={**observed.children, **there},
        foreign=(*observed.foreign, *unowned),
        stale=(*observed.stale, *stale),
        free=observed.free | (answers.keys() - found.keys()),
    )


def keep_looked_up(looked: Observed, now: Observed) -> Observed:
    """Return the later view, with foreign objects that only the look-up found."""
    return replace(
        now,
        foreign=tuple(dict.fromkeys((*now.foreign, *looked.foreign))),
        stale=tuple(dict.fromkeys((*now.stale, *looked.stale))),
    )


async def _look(api: Api, namespace: str, child: ChildId) -> Object | None:
    kind = BY_NAME[child.kind]
    get = api.get_metadata if kind is SECRET else api.get
    try:
        return await get(kind, namespace, child.name)
    except NotFound:
        return None


class Owner(Enum):
    """The owner of an object, seen from a hub."""

    HUB = "this hub"
    PREVIOUS_OWNER = "a deleted hub of the same name"
    UNOWNED = "not a hub of this name"


def find_relation(hub: Hub, metadata: Mapping[str, Any]) -> Owner:
    """Tell who owns an object; one that is offered for adoption is the hub's."""
    owner = find_owner(metadata)
    if owner.get("uid") == hub.uid:
        return Owner.HUB
    if owner.get("kind") == names.KIND and owner.get("name") == hub.name:
        return Owner.PREVIOUS_OWNER
    offered = (metadata.get("annotations") or {}).get(names.ANNOTATION_ADOPT)
    return Owner.HUB if not owner and offered == hub.name else Owner.UNOWNED
