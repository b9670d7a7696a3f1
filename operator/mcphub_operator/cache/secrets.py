"""Which Secrets matter to which hub, and at which version they are.

The watch is metadata-only and sees every Secret that the operator may see; of those
that no hub names nothing is kept, so ten thousand of them cost nothing. Data is read
with a GET by the pass that needs it, when a version changed.
"""

from mcphub_operator import names
from mcphub_operator.cache.children import ChildCache, Enqueue, find_version
from mcphub_operator.client.api import Found, Object
from mcphub_operator.client.kinds import SECRET
from mcphub_operator.observed import HubKey
from mcphub_operator.resources.manifest import ChildId

ABSENT = 0
"""The version of a Secret that does not exist."""

SecretKey = tuple[str, str]


def find_maker(secret: str) -> str:
    """Return which hub's own Secret this is, by its name; empty if none's."""
    stem, hyphen, sort = secret.rpartition("-")
    own = (names.auth_secret(stem), names.keys_secret(stem))
    return stem if hyphen and sort and secret in own else ""


class SecretCache:
    """Versions of the Secrets that hubs name."""

    def __init__(self, enqueue: Enqueue, children: ChildCache) -> None:
        self._enqueue = enqueue
        self._children = children
        self._versions: dict[SecretKey, int] = {}
        self._ended: dict[SecretKey, int] = {}
        """At which version a Secret that a hub reads was deleted."""
        self._readers: dict[SecretKey, set[HubKey]] = {}
        self._names: dict[HubKey, frozenset[str]] = {}

    def subscribe(self, hub: HubKey, secrets: frozenset[str]) -> None:
        """Enqueue this hub when one of these Secrets changes, and for no others."""
        before = self._names.get(hub, frozenset())
        for name in before - secrets:
            self._unsubscribe(hub, (hub.namespace, name))
        for name in secrets - before:
            self._readers.setdefault((hub.namespace, name), set()).add(hub)
        self._names[hub] = secrets
        for owner in {*map(find_maker, before ^ secrets)} - {hub.name, ""}:
            self._enqueue(HubKey(hub.namespace, owner))

    def find_readers(self, hub: HubKey, name: str) -> frozenset[HubKey]:
        """Return the hubs of a hub's namespace that read a Secret."""
        return frozenset(self._readers.get((hub.namespace, name), ()))

    def forget(self, hub: HubKey) -> None:
        """Enqueue this hub no more."""
        self.subscribe(hub, frozenset())
        self._names.pop(hub, None)

    def find_version(self, namespace: str, name: str) -> int | None:
        """Return the version last heard of, if any."""
        return self._versions.get((namespace, name))

    def find_own_version(self, hub: HubKey, name: str) -> int | None:
        """Return the version of a Secret that carries the hub's labels, if any."""
        found = self._children.of(hub).get(ChildId(SECRET.name, name))
        return found.version if found else None

    def learn(self, namespace: str, name: str, version: int) -> None:
        """Take over what a read or write of ours found."""
        key = (namespace, name)
        newest = max(self._versions.get(key, ABSENT), self._ended.get(key, ABSENT))
        if key in self._readers and version >= newest:
            self._versions[key] = version

    def learn_absent(self, namespace: str, name: str) -> None:
        """Take over that a read of ours found nothing."""
        if (namespace, name) in self._readers:
            self._versions[namespace, name] = ABSENT

    def upsert(self, item: Object) -> None:
        """Learn a Secret's present version."""
        self._hear(item)
        self._children.upsert(SECRET, item)

    def remove(self, item: Object) -> None:
        """Learn that a Secret is gone."""
        key = (item["metadata"]["namespace"], item["metadata"]["name"])
        if key in self._readers:
            self._ended[key] = find_version(item)
        self._set(key, ABSENT)
        self._children.remove(SECRET, item)

    def replace(self, namespace: str | None, found: Found) -> None:
        """Forget what a list did not find."""
        for key in [*self._readers]:
            if namespace in (None, key[0]) and key not in found:
                self._set(key, ABSENT)
        self._children.replace(SECRET, namespace, found)

    def _hear(self, item: Object) -> None:
        metadata = item["metadata"]
        key = (metadata["namespace"], metadata["name"])
        version = find_version(item)
        if version > self._versions.get(key, ABSENT):
            self._set(key, version)

    def _set(self, key: SecretKey, version: int) -> None:
        if key in self._readers and self._versions.get(key) != version:
            self._versions[key] = version
            for hub in self._readers[key]:
                self._enqueue(hub)

    def _unsubscribe(self, hub: HubKey, key: SecretKey) -> None:
        readers = self._readers.get(key, set())
        readers.discard(hub)
        if not readers:
            self._readers.pop(key, None)
            self._versions.pop(key, None)
            self._ended.pop(key, None)
