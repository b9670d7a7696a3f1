"""Whether an operator has seen all of a namespace and has nothing left to do there.

A test that counts writes must not count those that are still to come. This compares
what the operator's caches hold with what the API server has: no guess at how long an
event takes, on a quick machine or a slow one. The cluster's own controllers are waited
for as well, since what they write about Deployments is news for the operator.
"""

import asyncio
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import chain
from typing import Any

from mcphub_operator import names
from mcphub_operator.adoption import find_owner
from mcphub_operator.cache.autoscalers import ForeignAutoscalerCache
from mcphub_operator.cache.children import find_hub, find_version, is_child
from mcphub_operator.cache.pods import PodCache
from mcphub_operator.client.api import METADATA_LIST, Api, Call, Object
from mcphub_operator.client.kinds import (
    AUTOSCALER,
    CHILD_KINDS,
    DEPLOYMENT,
    HUB,
    POD,
    SECRET,
    Kind,
)
from mcphub_operator.observed import HubKey
from mcphub_operator.resources.manifest import ChildId
from mcphub_operator.runtime.caches import Caches

REPLICA_SET = Kind("ReplicaSet", "apps/v1", "replicasets")
SELECTORS = {
    SECRET: "",
    AUTOSCALER: "",
    HUB: "",
    POD: names.PODS_SELECTOR,
    REPLICA_SET: names.PODS_SELECTOR,
}
"""What is not selected by the label of the operator's own children."""
READ_WHOLE = (DEPLOYMENT, AUTOSCALER, POD, REPLICA_SET)
COUNTS = ("replicas", "readyReplicas", "availableReplicas")


@dataclass(frozen=True, slots=True)
class Contents:
    """What the API server has of one namespace."""

    namespace: str
    items: Mapping[Kind, list[Object]]

    def children(self) -> Iterator[tuple[Kind, Object]]:
        """Return the objects that the operator counts among the hubs' children."""
        return (
            (kind, item)
            for kind in CHILD_KINDS
            for item in self.items[kind]
            if kind not in (SECRET, AUTOSCALER) or is_child(item)
        )


async def read_contents(api: Api, namespace: str) -> Contents:
    """List what an operator of this namespace watches."""
    kinds = (HUB, *CHILD_KINDS, POD, REPLICA_SET)
    found = await asyncio.gather(*(_list(api, kind, namespace) for kind in kinds))
    return Contents(namespace, dict(zip(kinds, found, strict=True)))


async def _list(api: Api, kind: Kind, namespace: str) -> list[Object]:
    selector = SELECTORS.get(kind, names.MANAGED_SELECTOR)
    params = {"labelSelector": selector} if selector else {}
    accept = "application/json" if kind in READ_WHOLE else METADATA_LIST
    path = kind.path(namespace)
    page = await api.ask(Call("list", kind.name, "GET", path, params, accept=accept))
    items: list[Object] = page["items"] or []
    return items


def find_unseen(caches: Caches, contents: Contents) -> Iterator[str]:
    """Name the caches that differ from what the API server has."""
    namespace = contents.namespace
    hubs = {_key(hub): find_version(hub) for hub in contents.items[HUB]}
    known = {key: caches.hubs.find(key) for key in caches.hubs.keys()}  # noqa: SIM118
    here = {k: e.version for k, e in known.items() if e and k.namespace == namespace}
    if here != hubs:
        yield f"hubs {_differ(here, hubs)}"
    children = {
        (find_hub(item), ChildId(kind.name, item["metadata"]["name"])): find_version(
            item
        )
        for kind, item in contents.children()
    }
    cached = dict(_cached_children(caches, {*hubs, *(hub for hub, _ in children)}))
    if cached != children:
        yield f"children {_differ(cached, children)}"
    yield from _find_unseen_others(caches, contents, hubs)


def _cached_children(
    caches: Caches, hubs: Iterable[HubKey]
) -> Iterator[tuple[tuple[HubKey, ChildId], int]]:
    for hub in hubs:
        for child, live in caches.children.of(hub).items():
            yield (hub, child), live.version


def _find_unseen_others(
    caches: Caches, contents: Contents, hubs: Iterable[HubKey]
) -> Iterator[str]:
    pods, autoscalers = PodCache(_ignore, lambda: 0.0), ForeignAutoscalerCache(_ignore)
    for pod in contents.items[POD]:
        pods.upsert(pod)
    if set(pods.all()) != {e for e in caches.pods.all() if _is_in(e[0], contents)}:
        yield "pods"
    for item in contents.items[AUTOSCALER]:
        autoscalers.upsert(item)
    if any(autoscalers.of(hub) != caches.autoscalers.of(hub) for hub in hubs):
        yield "foreign autoscalers"
    secrets = {s["metadata"]["name"]: find_version(s) for s in contents.items[SECRET]}
    for (namespace, name), version in caches.secrets._versions.items():
        if namespace == contents.namespace and version != secrets.get(name, 0):
            yield f"Secret {name}"


def find_uncontrolled(contents: Contents) -> Iterator[str]:
    """Name the Deployments whose controllers have not caught up."""
    pods = _group_by_owner(contents.items[POD])
    sets = _group_by_owner(contents.items[REPLICA_SET])
    for deployment in contents.items[DEPLOYMENT]:
        owned = sets.get(deployment["metadata"]["uid"], [])
        done = _is_observed(deployment) and all(
            _is_observed(each) and _has_its_pods(each, pods) for each in owned
        )
        if not done or any(
            _count(deployment, count) != sum(_count(each, count) for each in owned)
            for count in COUNTS
        ):
            yield f"the controller of Deployment {deployment['metadata']['name']}"


def find_unevaluated(contents: Contents) -> Iterator[str]:
    """Name the autoscalers that their controller has not evaluated yet.

    It evaluates a new one a sync period later, and the operator reports the result.
    """
    for autoscaler in contents.items[AUTOSCALER]:
        conditions = (autoscaler.get("status") or {}).get("conditions") or ()
        if not any(
            c["type"] == "ScalingActive" or c["status"] == "False" for c in conditions
        ):
            yield f"the controller of {autoscaler['metadata']['name']}'s autoscaler"


def _has_its_pods(replica_set: Object, pods: Mapping[str, list[Object]]) -> bool:
    status = replica_set.get("status") or {}
    conditions = status.get("conditions") or ()
    if any(c["type"] == "ReplicaFailure" and c["status"] == "True" for c in conditions):
        return True  # the API server refuses its pods
    owned = [
        pod
        for pod in pods.get(replica_set["metadata"]["uid"], ())
        if "deletionTimestamp" not in pod["metadata"]
    ]
    found = len(owned), sum(is_ready(pod) for pod in owned)
    told = _count(replica_set, "replicas"), _count(replica_set, "readyReplicas")
    return found == told and told[0] == replica_set["spec"]["replicas"]


def find_unready_pods(contents: Contents) -> Iterator[str]:
    """Name the pods that have not become Ready, or not ended, yet."""
    for pod in contents.items[POD]:
        if "deletionTimestamp" in pod["metadata"] or not is_ready(pod):
            yield f"Pod {pod['metadata']['name']}"


def is_ready(pod: Object) -> bool:
    """Tell whether a pod is Ready."""
    conditions = (pod.get("status") or {}).get("conditions") or ()
    return any(c["type"] == "Ready" and c["status"] == "True" for c in conditions)


def _is_observed(item: Object) -> bool:
    seen = (item.get("status") or {}).get("observedGeneration", 0)
    return bool(seen == item["metadata"]["generation"])


def _count(item: Object, name: str) -> int:
    return int((item.get("status") or {}).get(name, 0))


def _group_by_owner(items: Iterable[Object]) -> dict[str, list[Object]]:
    found: dict[str, list[Object]] = {}
    for item in items:
        owner = find_owner(item["metadata"]).get("uid", "")
        found.setdefault(owner, []).append(item)
    return found


def _is_in(hub: HubKey, contents: Contents) -> bool:
    return hub.namespace == contents.namespace


def _key(item: Object) -> HubKey:
    return HubKey(item["metadata"]["namespace"], item["metadata"]["name"])


def _differ(cached: Mapping[Any, int], served: Mapping[Any, int]) -> str:
    keys = chain(cached, served)
    wrong = {key for key in keys if cached.get(key) != served.get(key)}
    return ", ".join(sorted(str(key) for key in wrong))


_ignore: Callable[[HubKey], None] = lambda _hub: None  # noqa: E731
