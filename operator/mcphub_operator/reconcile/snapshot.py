"""A hub as one pass sees it: read from the cache and decoded once."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from mcphub_operator.cache.hubs import CachedHub
from mcphub_operator.client.api import Object
from mcphub_operator.observed import HubKey


@dataclass(frozen=True, slots=True)
class HubSnapshot:
    """The hub that a pass is about; nothing else in the pass reads the hub again."""

    key: HubKey
    uid: str
    generation: int
    body: Object

    @property
    def status(self) -> Mapping[str, Any]:
        """Return the status before the pass."""
        found: Mapping[str, Any] = self.body.get("status") or {}
        return found


def take_snapshot(key: HubKey, cached: CachedHub) -> HubSnapshot:
    """Decode a cached hub."""
    return HubSnapshot(key, cached.uid, cached.generation, cached.read())
