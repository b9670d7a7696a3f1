"""The pods of hubs, reduced to the fields that a status needs.

Only pods of the hub's own ReplicaSets count: any pod may carry a hub's labels.

A hub is enqueued only when one of those fields changes: probes of pods change nothing.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import Any

from mcphub_operator import names
from mcphub_operator.adoption import find_owner
from mcphub_operator.cache.children import Enqueue, find_hub
from mcphub_operator.client.api import Found, Object
from mcphub_operator.observed import HubKey, Pod
from mcphub_operator.status.ended_pods import EndedPod, build_ended_pod, was_removed
from mcphub_operator.status.pod_faults import find_fault, has_ended
from mcphub_operator.status.pod_waits import find_wait

POD_TEMPLATE_HASH = "pod-template-hash"


class PodCache:
    """The pods of hubs."""

    def __init__(self, enqueue: Enqueue, clock: Callable[[], float]) -> None:
        self._report = enqueue
        self._clock = clock
        self._changed: dict[HubKey, float] = {}
        """A pod that was deleted leaves no time by which to judge who noticed."""
        self._pods: dict[HubKey, dict[str, Pod]] = {}
        self._hubs: dict[str, HubKey] = {}
        self._ended: dict[HubKey, EndedPod] = {}
        """The last one of each hub: there may be thousands."""

    def of(self, hub: HubKey) -> tuple[Pod, ...]:
        """Return a hub's pods."""
        return tuple(self._pods.get(hub, {}).values())

    def find_unchanged_seconds(self, hub: HubKey) -> float | None:
        """Return for how long no pod of a hub has changed; None: none ever did."""
        changed = self._changed.get(hub)
        return None if changed is None else self._clock() - changed

    def forget(self, hub: HubKey) -> None:
        """Forget when the pods of a hub that is gone changed."""
        self._changed.pop(hub, None)

    def find_ended(self, hub: HubKey) -> EndedPod | None:
        """Return which of a hub's pods has ended last, if one is still there."""
        return self._ended.get(hub)

    def all(self) -> Iterable[tuple[HubKey, Pod]]:
        """Return every pod, with its hub."""
        return [(hub, p) for hub, pods in self._pods.items() for p in pods.values()]

    def upsert(self, item: Object) -> None:
        """Learn a pod's present state."""
        hub, pod = find_hub(item), build_pod(item)
        known = self._hubs.get(pod.uid)
        if known is not None and known != hub:
            self._drop(known, pod.uid)  # its labels were changed
        before = self._pods.get(hub, {}).get(pod.uid)
        pod = _keep_words(pod, before)
        if has_ended(item) and is_replica(item, hub) and not was_removed(item):
            self._note_end(hub, build_ended_pod(item))
        if has_ended(item) or not is_replica(item, hub):
            if before is not None:
                self._drop(hub, pod.uid)
        elif before != pod:
            self._pods.setdefault(hub, {})[pod.uid] = pod
            self._hubs[pod.uid] = hub
            self._enqueue(hub)

    def remove(self, item: Object) -> None:
        """Learn that a pod is gone."""
        uid = item["metadata"]["uid"]
        if hub := self._hubs.get(uid):
            self._drop(hub, uid)
        self._forget_ended(lambda _hub, ended: ended.uid == uid)

    def replace(self, namespace: str | None, found: Found) -> None:
        """Forget what a list did not find."""
        for hub, pod in self.all():
            known = namespace in (None, hub.namespace)
            if known and (hub.namespace, pod.name) not in found:
                self._drop(hub, pod.uid)
        self._forget_ended(
            lambda hub, ended: (
                namespace in (None, hub.namespace)
                and (hub.namespace, ended.name) not in found
            )
        )

    def _enqueue(self, hub: HubKey) -> None:
        self._changed[hub] = self._clock()
        self._report(hub)

    def _note_end(self, hub: HubKey, ended: EndedPod) -> None:
        before = self._ended.get(hub)
        if before is None or ended > before:
            self._ended[hub] = ended
            self._enqueue(hub)

    def _forget_ended(self, is_gone: Callable[[HubKey, EndedPod], bool]) -> None:
        gone = [hub for hub, ended in self._ended.items() if is_gone(hub, ended)]
        for hub in gone:
            del self._ended[hub]
            self._enqueue(hub)

    def _drop(self, hub: HubKey, uid: str) -> None:
        pods = self._pods.get(hub, {})
        pods.pop(uid, None)
        self._hubs.pop(uid, None)
        if not pods:
            self._pods.pop(hub, None)
        self._enqueue(hub)


def _keep_words(pod: Pod, before: Pod | None) -> Pod:
    """Keep the longer words for a fault: kubelets by turns say more and less of it."""
    now, told = pod.fault, before.fault if before is not None else None
    if now is None or told is None or now.reason is not told.reason:
        return pod
    return replace(pod, fault=told) if told.message.startswith(now.message) else pod


def is_replica(item: Mapping[str, Any], hub: HubKey) -> bool:
    """Tell whether a pod is controlled by a ReplicaSet of the hub's Deployment.

    A Deployment names its ReplicaSets after itself and the hash of their template.
    """
    metadata = item["metadata"]
    owner = find_owner(metadata)
    labels = metadata.get("labels") or {}
    replica_set = f"{hub.name}-{labels.get(POD_TEMPLATE_HASH)}"
    return owner.get("kind") == "ReplicaSet" and owner.get("name") == replica_set


def build_pod(item: Mapping[str, Any]) -> Pod:
    """Return what the status needs of a pod."""
    metadata, status = item["metadata"], item.get("status") or {}
    conditions = status.get("conditions") or ()
    return Pod(
        name=metadata["name"],
        uid=metadata["uid"],
        address=status.get("podIP", ""),
        ready=is_true(conditions, "Ready"),
        terminating="deletionTimestamp" in metadata,
        fault=find_fault(item),
        wait=find_wait(item),
        node=(item.get("spec") or {}).get("nodeName", ""),
        live=(metadata.get("annotations") or {}).get(names.ANNOTATION_LIVE, ""),
    )


def is_true(conditions: Iterable[Mapping[str, Any]], kind: str) -> bool:
    """Tell whether a condition of this type is True."""
    return any(c["type"] == kind and c["status"] == "True" for c in conditions)
