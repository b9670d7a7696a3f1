"""Autoscalers: one watch feeds two caches, the hubs' own and the foreign ones."""

from mcphub_operator import names
from mcphub_operator.adoption import find_owner
from mcphub_operator.cache.children import ChildCache, Enqueue
from mcphub_operator.client.api import Found, Object
from mcphub_operator.client.kinds import AUTOSCALER, DEPLOYMENT
from mcphub_operator.observed import HubKey

Target = tuple[str, str]
"""Kind and name of what is scaled."""


class ForeignAutoscalerCache:
    """Autoscalers that are not ours, by the Deployment or hub that they scale."""

    def __init__(self, enqueue: Enqueue) -> None:
        self._enqueue = enqueue
        self._targets: dict[tuple[str, str], Target] = {}

    def of(self, hub: HubKey, kind: str = DEPLOYMENT.name) -> tuple[str, ...]:
        """Return the names of those that scale a hub's Deployment, or the hub."""
        return tuple(
            sorted(
                name
                for (namespace, name), target in self._targets.items()
                if namespace == hub.namespace and target == (kind, hub.name)
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
        found = str(target.get("kind")), str(target.get("name"))
        foreign = found[0] in (DEPLOYMENT.name, names.KIND) and not ours
        key = (metadata["namespace"], metadata["name"])
        self._set(key, found if foreign else None)

    def remove(self, item: Object) -> None:
        """Learn that an autoscaler is gone."""
        metadata = item["metadata"]
        self._set((metadata["namespace"], metadata["name"]), None)

    def replace(self, namespace: str | None, found: Found) -> None:
        """Forget what a list did not find."""
        for key in [*self._targets]:
            if namespace in (None, key[0]) and key not in found:
                self._set(key, None)

    def _set(self, key: tuple[str, str], target: Target | None) -> None:
        before = self._targets.get(key)
        if before == target:
            return
        if target is None:
            del self._targets[key]
        else:
            self._targets[key] = target
        for each in filter(None, (before, target)):
            self._enqueue(HubKey(key[0], each[1]))


class AutoscalerStore:
    """Sorts autoscalers by whether they carry the operator's label."""

    def __init__(self, children: ChildCache, foreign: ForeignAutoscalerCache) -> None:
        self._children = children
        self._foreign = foreign

    def upsert(self, item: Object) -> None:
        """Learn an autoscaler's present state."""
        self._foreign.upsert(item)
        self._children.upsert(AUTOSCALER, item)

    def remove(self, item: Object) -> None:
        """Learn that an autoscaler is gone."""
        self._foreign.remove(item)
        self._children.remove(AUTOSCALER, item)

    def replace(self, namespace: str | None, found: Found) -> None:
        """Forget what a list did not find."""
        self._foreign.replace(namespace, found)
        self._children.replace(AUTOSCALER, namespace, found)
