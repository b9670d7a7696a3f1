"""Checks every version of every hub against what must always hold.

The watcher talks to the API server itself, past every fault: users read what the
operator writes at any moment, whatever the operator is going through.
"""

import asyncio
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

from mcphub_operator.cache.reflector import Reflector, Scope
from mcphub_operator.client.api import Found, Object
from mcphub_operator.client.kinds import HUB
from tests.support.running_operator import World

NEVER_SECONDS = 3600.0


@dataclass
class Watcher:
    """Notes every version of a hub's status that is not true."""

    ever_ready: set[str]
    violations: list[str] = field(default_factory=list)
    versions: int = 0
    _before: dict[str, Object] = field(default_factory=dict)

    def upsert(self, item: Object) -> None:
        """Judge a version of a hub."""
        self.versions += 1
        name, uid = item["metadata"]["name"], item["metadata"]["uid"]
        before = self._before.get(uid, {})
        found = (*find_violations(item), *find_history_violations(before, item))
        self.violations += [f"{name}: {violation}" for violation in found]
        if _is_ready(item.get("status") or {}) and name not in self.ever_ready:
            self.violations.append(f"{name}: Ready before any pod was")
        self._before[uid] = item

    def remove(self, item: Object) -> None:
        """Forget a hub."""
        self._before.pop(item["metadata"]["uid"], None)

    def replace(self, _namespace: str | None, _found: Found) -> None:
        """Lists are none of its business."""


def find_violations(hub: Mapping[str, Any]) -> Iterator[str]:
    """Judge one version of a hub by itself."""
    status = hub.get("status") or {}
    generation = hub["metadata"]["generation"]
    conditions = status.get("conditions") or ()
    seen = [status, *conditions]
    if any(part.get("observedGeneration", 0) > generation for part in seen):
        yield "it claims to have seen a generation that was not there yet"
    ready = _is_ready(status)
    if "endpoints" in status and not ready:
        yield "it tells a URL while it is not Ready"
    if ready and not status.get("readyReplicas"):
        yield "it is Ready without a ready replica"


def find_history_violations(
    before: Mapping[str, Any], after: Mapping[str, Any]
) -> Iterator[str]:
    """Judge a version of a hub by the one before."""
    old, new = before.get("status") or {}, after.get("status") or {}
    if new.get("observedGeneration", 0) < old.get("observedGeneration", 0):
        yield "it forgot a generation that it had seen"
    for part, key, value in (
        ("conditions", "type", "status"),
        ("backends", "name", "state"),
    ):
        known = {entry[key]: entry for entry in old.get(part) or ()}
        for entry in new.get(part) or ():
            was = known.get(entry[key])
            if was is None or entry.get("type") != was.get("type"):
                continue
            same = entry[value] == was[value]
            moved = entry["lastTransitionTime"] != was["lastTransitionTime"]
            if same and moved:
                yield f"{entry[key]} has a new time and the same {value}"


def _is_ready(status: Mapping[str, Any]) -> bool:
    conditions = status.get("conditions") or ()
    return any(c["type"] == "Ready" and c["status"] == "True" for c in conditions)


@asynccontextmanager
async def watching_invariants(
    world: World, ever_ready: set[str]
) -> AsyncIterator[Watcher]:
    """Watch all hubs of a namespace while the block lasts."""
    watcher = Watcher(ever_ready)
    scope = Scope(HUB, world.namespace)
    reflector = Reflector(world.api, scope, watcher, NEVER_SECONDS)
    task = asyncio.create_task(reflector.run())
    try:
        await reflector.synced.wait()
        yield watcher
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
