"""Pods, nodes and foreign autoscalers: what a status needs beside the children.

Of each only the few fields that matter are kept, and hubs wake only when one of those
changed: heartbeats of nodes and probes of pods wake nobody.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from mcphub_operator import names
from mcphub_operator.kube.api import Found, Object
from mcphub_operator.kube.children import Wake, find_hub, find_owner
from mcphub_operator.observed import HubKey, Node, Pod


class PodTable:
    """The pods of hubs."""

    def __init__(self, wake: Wake) -> None:
        self._wake = wake
        self._pods: dict[HubKey, dict[str, Pod]] = {}

    def of(self, hub: HubKey) -> tuple[Pod, ...]:
        """Return a hub's pods."""
        return tuple(self._pods.get(hub, {}).values())

    def all(self) -> Iterable[tuple[HubKey, Pod]]:
        """Return every pod, with its hub."""
        return [(hub, p) for hub, pods in self._pods.items() for p in pods.values()]

    def upsert(self, item: Object) -> None:
        """Learn a pod's present state."""
        hub, pod = find_hub(item), build_pod(item)
        if self._pods.get(hub, {}).get(pod.uid) != pod:
            self._pods.setdefault(hub, {})[pod.uid] = pod
            self._wake(hub)

    def remove(self, item: Object) -> None:
        """Learn that a pod is gone."""
        self._drop(find_hub(item), item["metadata"]["uid"])

    def keep_only(self, namespace: str | None, found: Found) -> None:
        """Forget what a list did not find."""
        for hub, pod in self.all():
            known = namespace in (None, hub.namespace)
            if known and (hub.namespace, pod.name) not in found:
                self._drop(hub, pod.uid)

    def _drop(self, hub: HubKey, uid: str) -> None:
        pods = self._pods.get(hub, {})
        pods.pop(uid, None)
        if not pods:
            self._pods.pop(hub, None)
        self._wake(hub)


def build_pod(item: Mapping[str, Any]) -> Pod:
    """Return what the status needs of a pod."""
    metadata, status = item["metadata"], item.get("status") or {}
    conditions = status.get("conditions") or ()
    return Pod(
        name=metadata["name"],
        uid=metadata["uid"],
        address=status.get("podIP", ""),
        ready=_is_true(conditions, "Ready"),
        terminating="deletionTimestamp" in metadata,
    )


class NodeTable:
    """The cluster's nodes; None while we may not see them."""

    def __init__(self, wake_all: Callable[[], None]) -> None:
        self._wake_all = wake_all
        self._nodes: dict[str, Node] | None = None

    def all(self) -> tuple[Node, ...] | None:
        """Return the nodes."""
        return None if self._nodes is None else tuple(self._nodes.values())

    def upsert(self, item: Object) -> None:
        """Learn a node's present state."""
        node = build_node(item)
        self._set({**(self._nodes or {}), node.name: node})

    def remove(self, item: Object) -> None:
        """Learn that a node is gone."""
        gone = item["metadata"]["name"]
        self._set({k: v for k, v in (self._nodes or {}).items() if k != gone})

    def keep_only(self, _namespace: str | None, found: Found) -> None:
        """Forget what a list did not find."""
        nodes = self._nodes or {}
        self._set({name: n for name, n in nodes.items() if ("", name) in found})

    def _set(self, nodes: dict[str, Node]) -> None:
        if nodes != self._nodes:
            self._nodes = nodes
            self._wake_all()


def build_node(item: Mapping[str, Any]) -> Node:
    """Return what a URL needs of a node."""
    status = item.get("status") or {}
    addresses = {a["type"]: a["address"] for a in status.get("addresses") or ()}
    return Node(
        name=item["metadata"]["name"],
        ready=_is_true(status.get("conditions") or (), "Ready"),
        external_address=addresses.get("ExternalIP", ""),
        internal_address=addresses.get("InternalIP", ""),
    )


class ForeignAutoscalers:
    """Autoscalers that are not ours, by the Deployment that they scale."""

    def __init__(self, wake: Wake) -> None:
        self._wake = wake
        self._targets: dict[tuple[str, str], str] = {}

    def of(self, hub: HubKey) -> tuple[str, ...]:
        """Return the names of those that scale a hub's Deployment."""
        return tuple(
            sorted(
                name
                for (namespace, name), target in self._targets.items()
                if namespace == hub.namespace and target == hub.name
            )
        )

    def upsert(self, item: Object) -> None:
        """Learn an autoscaler's present target."""
        metadata = item["metadata"]
        target = item["spec"].get("scaleTargetRef") or {}
        owner = find_owner(metadata)
        ours = owner.get("kind") == names.KIND and owner.get(
            "apiVersion", ""
        ).startswith(names.GROUP)
        foreign = target.get("kind") == "Deployment" and not ours
        key = (metadata["namespace"], metadata["name"])
        self._set(key, target.get("name") if foreign else None)

    def remove(self, item: Object) -> None:
        """Learn that an autoscaler is gone."""
        metadata = item["metadata"]
        self._set((metadata["namespace"], metadata["name"]), None)

    def keep_only(self, namespace: str | None, found: Found) -> None:
        """Forget what a list did not find."""
        for key in [*self._targets]:
            if namespace in (None, key[0]) and key not in found:
                self._set(key, None)

    def _set(self, key: tuple[str, str], target: str | None) -> None:
        before = self._targets.get(key)
        if before == target:
            return
        if target is None:
            del self._targets[key]
        else:
            self._targets[key] = target
        for name in {before, target} - {None}:
            self._wake(HubKey(key[0], str(name)))


def _is_true(conditions: Iterable[Mapping[str, Any]], kind: str) -> bool:
    return any(c["type"] == kind and c["status"] == "True" for c in conditions)
