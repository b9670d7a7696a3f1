"""Every child of every hub, as the watches last reported it.

The watches select by label, so an object whose label was removed seems deleted; the
pass that would recreate it asks the API server first (`reconcile.gather`). An event
about the operator's own write is not newer than the cache and enqueues no hub. The
response to a write may arrive after the event of the object's deletion, and must not
bring the object back: a watch reports a kind in order, so an unknown object that is not
newer than the last event has been deleted.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any

import msgspec

from mcphub_operator import names
from mcphub_operator.adoption import find_owner
from mcphub_operator.client.api import Found, Object
from mcphub_operator.client.kinds import Kind
from mcphub_operator.observed import CachedObject, HubKey
from mcphub_operator.resources.manifest import ChildId

Enqueue = Callable[[HubKey], None]


class ChildCache:
    """Children by hub."""

    def __init__(self, enqueue: Enqueue) -> None:
        self._enqueue = enqueue
        self._by_hub: dict[HubKey, dict[ChildId, CachedObject]] = {}
        self._hubs: dict[tuple[str, ChildId], HubKey] = {}
        """Whose children they are, by namespace: owner and labels may change."""
        self._heard: dict[tuple[str, str], int] = {}
        """The last event's version, by kind and namespace."""

    def of(self, hub: HubKey) -> dict[ChildId, CachedObject]:
        """Return the children that carry the hub's labels."""
        return dict(self._by_hub.get(hub, {}))

    def all_of_kind(self, kind: Kind) -> Iterable[tuple[HubKey, CachedObject]]:
        """Return every child of a kind, with its hub."""
        for hub, children in self._by_hub.items():
            for child, live in children.items():
                if child.kind == kind.name:
                    yield hub, live

    def learn(self, kind: Kind, item: Object, *, settled: bool = False) -> None:
        """Take over an object that a write of ours returned."""
        hub, child = find_hub(item), ChildId(kind.name, item["metadata"]["name"])
        if not self._lose(kind, item):
            return
        heard = self._heard.get((kind.name, hub.namespace), 0)
        if child in self._by_hub.get(hub, {}) or find_version(item) > heard:
            self._put(kind, item, settled=settled)

    def upsert(self, kind: Kind, item: Object) -> None:
        """Take over an object from a watch, and enqueue its hub if it is newer."""
        if not (is_child(item) or self._find_known(kind, item)):
            return
        self._hear(kind, item)
        news = self._lose(kind, item) and is_child(item)
        if news and self._put(kind, item, settled=False):
            self._enqueue(find_hub(item))

    def remove(self, kind: Kind, item: Object) -> None:
        """Forget an object, unless it was recreated since, and enqueue its hub."""
        hub = self._find_known(kind, item)
        if hub is None and not is_child(item):
            return
        self._hear(kind, item)
        child = ChildId(kind.name, item["metadata"]["name"])
        known = self._by_hub[hub][child] if hub is not None else None
        if hub is not None and known and known.uid == item["metadata"]["uid"]:
            self.forget(hub, child)
        self._enqueue(hub or find_hub(item))

    def forget(self, hub: HubKey, child: ChildId) -> None:
        """Forget an object that a delete of ours ended."""
        children = self._by_hub.get(hub, {})
        if children.pop(child, None) is not None:
            del self._hubs[hub.namespace, child]
        if not children:
            self._by_hub.pop(hub, None)

    def replace(self, kind: Kind, namespace: str | None, found: Found) -> None:
        """Forget what a list of a kind did not find, and enqueue those hubs."""
        gone = [
            (hub, child)
            for hub, children in self._by_hub.items()
            for child in children
            if child.kind == kind.name
            and namespace in (None, hub.namespace)
            and (hub.namespace, child.name) not in found
        ]
        for hub, child in gone:
            self.forget(hub, child)
            self._enqueue(hub)

    def _find_known(self, kind: Kind, item: Object) -> HubKey | None:
        metadata = item["metadata"]
        child = ChildId(kind.name, metadata["name"])
        return self._hubs.get((metadata["namespace"], child))

    def _lose(self, kind: Kind, item: Object) -> bool:
        """Forget a child that belongs to its hub no longer; False if that is old."""
        hub = self._find_known(kind, item)
        if hub is None or (is_child(item) and find_hub(item) == hub):
            return True
        child = ChildId(kind.name, item["metadata"]["name"])
        if self._by_hub[hub][child].version >= find_version(item):
            return False
        self.forget(hub, child)
        self._enqueue(hub)
        return True

    def _hear(self, kind: Kind, item: Object) -> None:
        place = kind.name, item["metadata"]["namespace"]
        self._heard[place] = max(find_version(item), self._heard.get(place, 0))

    def _put(self, kind: Kind, item: Object, *, settled: bool) -> bool:
        hub, child = find_hub(item), ChildId(kind.name, item["metadata"]["name"])
        live = build_cached(item, settled=settled)
        known = self._by_hub.get(hub, {}).get(child)
        if known is not None and known.version >= live.version:
            if settled and known.version == live.version:
                self._by_hub[hub][child] = replace(known, settled=True)
            return False
        self._by_hub.setdefault(hub, {})[child] = live
        self._hubs[hub.namespace, child] = hub
        return True


class ChildStore:
    """The part of a `ChildCache` that one reflector fills."""

    def __init__(self, cache: ChildCache, kind: Kind) -> None:
        self._cache = cache
        self._kind = kind

    def upsert(self, item: Object) -> None:
        """Learn a child's present state."""
        self._cache.upsert(self._kind, item)

    def remove(self, item: Object) -> None:
        """Learn that a child is gone."""
        self._cache.remove(self._kind, item)

    def replace(self, namespace: str | None, found: Found) -> None:
        """Forget what a list did not find."""
        self._cache.replace(self._kind, namespace, found)


def find_hub(item: Mapping[str, Any]) -> HubKey:
    """Tell which hub an object belongs to: by its owner, else by its labels.

    A child whose label was changed still belongs to its owner, which restores it.
    """
    metadata = item["metadata"]
    owner = find_owner(metadata)
    if owner.get("kind") == names.KIND:
        return HubKey(metadata["namespace"], owner.get("name", ""))
    labels = metadata.get("labels") or {}
    return HubKey(metadata["namespace"], labels.get(names.LABEL_INSTANCE, ""))


def is_child(item: Mapping[str, Any]) -> bool:
    """Tell whether an object is a hub's: by its label or, without it, its owner."""
    metadata = item["metadata"]
    labels = metadata.get("labels") or {}
    managed = labels.get(names.LABEL_MANAGED_BY) == names.OPERATOR_NAME
    return bool(managed or find_owner(metadata).get("kind") == names.KIND)


def build_cached(item: Object, *, settled: bool = False) -> CachedObject:
    """Return what is worth keeping of an object; no Secret's data among it."""
    metadata = item["metadata"]
    secret = "type" in item and "data" in item
    kept = {k: v for k, v in item.items() if not (secret and k == "data")}
    kept["metadata"] = {k: v for k, v in metadata.items() if k != "managedFields"}
    return CachedObject(
        uid=metadata["uid"],
        version=find_version(item),
        owner_uid=find_owner(metadata).get("uid", ""),
        hub=find_hub(item),
        text=msgspec.json.encode(kept),
        holds_replicas=_holds_replicas(metadata.get("managedFields") or ()),
        rivals=_find_rivals(metadata.get("managedFields") or ()),
        installation=_find_installation(metadata),
        waits_for=_find_waits(metadata),
        applied_at=_find_applied_at(metadata.get("managedFields") or ()),
        changed_at=_find_changed_at(metadata.get("managedFields") or ()),
        settled=settled,
    )


def find_version(item: Object) -> int:
    """Return an object's version; a greater one is newer."""
    return int(item["metadata"]["resourceVersion"])


def _find_rivals(entries: Iterable[Mapping[str, Any]]) -> tuple[str, ...]:
    """Return who else wrote fields of an object; not the cluster's own controllers."""
    known = (names.FIELD_MANAGER, names.HANDOVER_MANAGER, "kube-controller-manager")
    found = {
        str(entry.get("manager"))
        for entry in entries
        if entry.get("manager") not in known and not entry.get("subresource")
    }
    return tuple(sorted(found))


def _find_installation(metadata: Mapping[str, Any]) -> str:
    annotations = metadata.get("annotations") or {}
    return str(annotations.get(names.ANNOTATION_OPERATOR) or "")


def _find_waits(metadata: Mapping[str, Any]) -> tuple[str, ...]:
    if "deletionTimestamp" not in metadata:
        return ()
    return tuple(metadata.get("finalizers") or ())


def _find_applied_at(entries: Iterable[Mapping[str, Any]]) -> str:
    return max((str(e.get("time") or "") for e in _find_applies(entries)), default="")


def _find_changed_at(entries: Iterable[Mapping[str, Any]]) -> str:
    changes = (e for e in entries if e.get("subresource") != "status")
    return max((str(e.get("time") or "") for e in changes), default="")


def _holds_replicas(entries: Iterable[Mapping[str, Any]]) -> bool:
    return any(
        "f:replicas" in (entry.get("fieldsV1") or {}).get("f:spec", {})
        for entry in _find_applies(entries)
    )


def _find_applies(
    entries: Iterable[Mapping[str, Any]],
) -> Iterator[Mapping[str, Any]]:
    for entry in entries:
        if (entry.get("manager"), entry.get("operation")) == (
            names.FIELD_MANAGER,
            "Apply",
        ):
            yield entry
