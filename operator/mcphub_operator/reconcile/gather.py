"""All the reading of a pass, into one `Observed`.

Nearly everything comes from the tables that the watches fill. What is asked of the API
server: Secrets whose version changed, and, before a child is made, whether the hub is
still there; tables may lag, and making something is the one thing that a lagging view
must not decide. Whether a child's name is free the API server decides while it writes;
only if it was not is there a second, slower look at everything.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from enum import Enum
from typing import Any

from mcphub_operator import names
from mcphub_operator.errors import NotFound
from mcphub_operator.kube.api import Api, Object
from mcphub_operator.kube.children import ChildTable, build_live, find_owner
from mcphub_operator.kube.concurrency import run_together
from mcphub_operator.kube.hubs import HubEntry, HubTable
from mcphub_operator.kube.kinds import BY_NAME, HUB, SECRET
from mcphub_operator.kube.surroundings import ForeignAutoscalers, NodeTable, PodTable
from mcphub_operator.observed import HubKey, Observed, Platform, PodReport
from mcphub_operator.reconcile.secrets import SecretReader
from mcphub_operator.resources.children import wanted_children
from mcphub_operator.resources.manifest import ChildId
from mcphub_operator.resources.secrets import Fresh
from mcphub_operator.spec.hub import Hub

Reports = Callable[[str], PodReport | None]
"""What a pod, by its uid, last said of itself."""


@dataclass(frozen=True, slots=True)
class Sources:
    """Where a pass reads."""

    api: Api
    hubs: HubTable
    children: ChildTable
    pods: PodTable
    nodes: NodeTable
    autoscalers: ForeignAutoscalers
    secrets: SecretReader
    reports: Reports


@dataclass(frozen=True, slots=True)
class World:
    """What a pass cannot compute: the platform, time and chance."""

    platform: Platform
    now: Callable[[], datetime]
    fresh: Callable[[], Fresh]


class HubGone(Exception):
    """The hub was deleted, or made anew, since the tables last heard of it."""


async def gather(
    sources: Sources, world: World, hub: Hub, entry: HubEntry, *, ask: bool = False
) -> Observed:
    """Read everything about a hub; `ask` for each Secret, whatever the tables say."""
    key = HubKey(hub.namespace, hub.name)
    fresh = world.fresh()
    secrets = await sources.secrets.read(hub, fresh, ask=ask)
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
        platform=world.platform,
        fresh=fresh,
        now=world.now(),
        status=entry.read().get("status") or {},
        children={c: live for c, live in children.items() if owner(c) is Owner.HUB},
        foreign=tuple(c for c in children if owner(c) is Owner.STRANGER),
        leftovers=tuple(c for c in children if owner(c) is Owner.NAMESAKE),
        foreign_autoscalers=sources.autoscalers.of(key),
        user_secrets=secrets.user,
        own_secrets=secrets.own,
        free=frozenset(ChildId(SECRET.name, name) for name in secrets.free),
        pods=pods,
        reports={uid: report for uid, report in asked.items() if report is not None},
        nodes=sources.nodes.all(),
    )


async def check_alive(sources: Sources, hub: Hub) -> None:
    """Make sure that there is a hub to make something for.

    Raises:
        HubGone: there is not.
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
    """Ask the API server for children of which the tables know nothing."""
    hub = observed.hub
    children = [child for child in unknown if child not in observed.free]
    looks = (_look(sources.api, hub.namespace, child) for child in children)
    answers = dict(zip(children, await run_together(looks), strict=True))
    found = {child: item for child, item in answers.items() if item is not None}
    owners = {c: find_relation(hub, item["metadata"]) for c, item in found.items()}
    strangers = (c for c, owner in owners.items() if owner is Owner.STRANGER)
    namesakes = (c for c, owner in owners.items() if owner is Owner.NAMESAKE)
    # The tables lag, or a label is gone: it is not new, and keeps its replicas.
    there = {c: build_live(found[c]) for c, o in owners.items() if o is Owner.HUB}
    return replace(
        observed,
        children={**observed.children, **there},
        foreign=(*observed.foreign, *strangers),
        leftovers=(*observed.leftovers, *namesakes),
        free=observed.free | (answers.keys() - found.keys()),
    )


def keep_looked_up(looked: Observed, now: Observed) -> Observed:
    """Return what is known now, with the strangers that no table tells of."""
    return replace(
        now,
        foreign=tuple(dict.fromkeys((*now.foreign, *looked.foreign))),
        leftovers=tuple(dict.fromkeys((*now.leftovers, *looked.leftovers))),
    )


async def _look(api: Api, namespace: str, child: ChildId) -> Object | None:
    kind = BY_NAME[child.kind]
    get = api.get_metadata if kind is SECRET else api.get
    try:
        return await get(kind, namespace, child.name)
    except NotFound:
        return None


class Owner(Enum):
    """Whose an object is, seen from a hub."""

    HUB = "this hub"
    NAMESAKE = "a deleted hub of the same name"
    STRANGER = "somebody else"


def find_relation(hub: Hub, metadata: Mapping[str, Any]) -> Owner:
    """Tell whose an object is; one that is offered for adoption is the hub's."""
    owner = find_owner(metadata)
    if owner.get("uid") == hub.uid:
        return Owner.HUB
    if owner.get("kind") == names.KIND and owner.get("name") == hub.name:
        return Owner.NAMESAKE
    offered = (metadata.get("annotations") or {}).get(names.ANNOTATION_ADOPT)
    return Owner.HUB if not owner and offered == hub.name else Owner.STRANGER
