"""Every McpHub as kopf's events and our own lists last saw it.

kopf brings the events; a list of our own says when everything is known, and finds what
an event got lost about.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from sys import intern
from typing import Any

import msgspec

from mcphub_operator.cache.children import Enqueue, find_version
from mcphub_operator.client.api import Api, Found, Object
from mcphub_operator.client.kinds import HUB
from mcphub_operator.observed import HubKey


@dataclass(frozen=True, slots=True)
class CachedHub:
    """A hub's body, kept as compact JSON."""

    uid: str
    version: int
    generation: int
    text: bytes = field(repr=False)
    conditions: tuple[tuple[str, str], ...] = ()
    """Types and statuses, which the metrics count."""

    def read(self) -> Object:
        """Return the object."""
        found: Object = msgspec.json.decode(self.text)
        return found


class HubCache:
    """Hubs by namespace and name.

    Args:
        enqueue: called with a hub that changed.
        enqueue_first: called with a hub that a user has just changed.
    """

    def __init__(self, enqueue: Enqueue, enqueue_first: Enqueue) -> None:
        self._enqueue = enqueue
        self._enqueue_first = enqueue_first
        self._hubs: dict[HubKey, CachedHub] = {}
        self._expected: dict[HubKey, bytes] = {}

    def find(self, key: HubKey) -> CachedHub | None:
        """Return a hub, if there is one."""
        return self._hubs.get(key)

    def keys(self) -> tuple[HubKey, ...]:
        """Return all hubs' keys."""
        return tuple(self._hubs)

    def specs(self) -> Iterator[tuple[HubKey, object]]:
        """Yield the spec of every hub, as the API server has it."""
        for key, hub in self._hubs.items():
            yield key, hub.read().get("spec")

    def learn(self, item: Object) -> None:
        """Take over what a write of ours returned.

        The answer may be the first to bring what a user changed meanwhile; the event
        that follows is then no news any more. Or it comes after the hub's end.
        """
        key = key_of(item)
        before = self._hubs.get(key)
        if before is not None and self._put(item) and not _is_same(before, item):
            self._enqueue_first(key)

    def expect(self, key: HubKey, status: Object) -> None:
        """Announce a status about to be written: its event needs no pass."""
        self._expected[key] = _encode(status)

    def see(self, item: Object) -> None:
        """Take over an event's object, and enqueue the hub if it is newer."""
        self._take_over(item, self._enqueue_first)

    def upsert(self, item: Object) -> None:
        """Take over an object of a list, and enqueue the hub if it is newer."""
        self._take_over(item, self._enqueue)

    def remove(self, item: Object) -> None:
        """Forget a hub, unless it was recreated since."""
        key = key_of(item)
        self.forget(key, item["metadata"]["uid"])
        self._enqueue(key)

    def forget(self, key: HubKey, uid: str) -> None:
        """Forget a hub that turned out not to exist, unless it was recreated since."""
        known = self._hubs.get(key)
        if known is not None and known.uid == uid:
            del self._hubs[key]
            self._expected.pop(key, None)

    def entries(self) -> Mapping[HubKey, CachedHub]:
        """Return what is known at this moment."""
        return dict(self._hubs)

    def replace(
        self, namespace: str | None, found: Found, before: Mapping[HubKey, CachedHub]
    ) -> None:
        """Forget what a list did not find, and enqueue those hubs.

        Args:
            namespace: what was listed; None for everything.
            found: what the list found.
            before: what was known when the list began; what an event brought since
                is newer than the list and stays.
        """
        for key, entry in before.items():
            listed = namespace in (None, key.namespace)
            if listed and key not in found and self._hubs.get(key) is entry:
                self.forget(key, entry.uid)
                self._enqueue(key)

    def _take_over(self, item: Object, enqueue: Enqueue) -> None:
        key = key_of(item)
        before = self._hubs.get(key)
        if self._put(item) and not self._is_echo(key, item, before):
            enqueue(key)

    def _is_echo(self, key: HubKey, item: Object, before: CachedHub | None) -> bool:
        """Tell whether nothing but the status changed, to what we write ourselves.

        The event often comes before the answer to the write. If it enqueued the hub, a
        pass that fails each time with another message would repeat without end.
        """
        expected = self._expected.get(key, _encode(None))
        return _encode(item.get("status")) == expected and _is_same(before, item)

    def _put(self, item: Object) -> bool:
        key, metadata = key_of(item), item["metadata"]
        version = find_version(item)
        known = self._hubs.get(key)
        if known is not None and known.version >= version:
            return False
        kept = {
            **item,
            "metadata": {k: v for k, v in metadata.items() if k != "managedFields"},
        }
        self._hubs[key] = CachedHub(
            uid=metadata["uid"],
            version=version,
            generation=metadata.get("generation", 0),
            text=msgspec.json.encode(kept),
            conditions=_read_conditions(item),
        )
        return True


def _is_same(before: CachedHub | None, item: Object) -> bool:
    return before is not None and _essence(before.read()) == _essence(item)


def _encode(status: object) -> bytes:
    # A fifth of what it takes as objects.
    return msgspec.json.encode(status, order="sorted")


def _read_conditions(item: Object) -> tuple[tuple[str, str], ...]:
    found = (item.get("status") or {}).get("conditions") or ()
    # A few dozen different words, held once and not once for each hub.
    return tuple((intern(c["type"]), intern(c["status"])) for c in found)


def _essence(item: Object) -> tuple[Any, ...]:
    metadata = item["metadata"]
    parts = ("uid", "generation", "annotations", "labels", "deletionTimestamp")
    # Not those that come and go with every other tool while the hub lives.
    waits_for = metadata.get("finalizers") if "deletionTimestamp" in metadata else None
    return (*(metadata.get(part) for part in parts), waits_for)


def key_of(item: Object) -> HubKey:
    """Return the key of a hub's body."""
    return HubKey(item["metadata"]["namespace"], item["metadata"]["name"])


async def list_hubs(api: Api, hubs: HubCache, namespace: str | None) -> None:
    """Make the cache equal to what the API server has, page by page.

    Raises:
        ApiError: it could not be asked to the end; nothing was forgotten.
    """
    found: set[tuple[str, str]] = set()
    before = hubs.entries()
    async for item in api.list_items(HUB, namespace):
        found.add(key_of(item))
        hubs.upsert(item)
    hubs.replace(namespace, found, before)
