"""Whose turn it is when a new operator version wants to roll every hub.

A few at a time, and none once one of them did not come Ready: what broke that one
would break the others. Everything is read from the Deployments, so a restarted
operator goes on where the last one was.
"""

from collections.abc import Callable

from mcphub_operator import names
from mcphub_operator.cache.children import ChildCache
from mcphub_operator.client.kinds import DEPLOYMENT
from mcphub_operator.observed import CachedObject, HubKey, UpgradeTurn
from mcphub_operator.resources.manifest import ChildId
from mcphub_operator.status.rollout import Progress, read_progress


class UpgradeGate:
    """Grants turns."""

    def __init__(
        self,
        children: ChildCache,
        mark: str,
        concurrency: int,
        enqueue: Callable[[HubKey], None],
    ) -> None:
        self._children = children
        self._mark = mark.encode()
        self._concurrency = concurrency
        self._enqueue = enqueue
        self._granted: set[HubKey] = set()
        self._waiting: dict[HubKey, None] = {}
        self._rolling: set[HubKey] = set()
        self._stuck: set[HubKey] = set()
        """For which hubs those who wait do so, as far as they know."""

    def ask(self, key: HubKey) -> UpgradeTurn:
        """Ask whether a hub may roll now; a hub that may not is woken later."""
        rolling, stuck = self._rolling, self._stuck = self._look()
        busy = (rolling | self._granted) - {key}
        others_stuck = sorted(str(hub) for hub in stuck - {key})
        if not others_stuck and len(busy) < self._concurrency:
            self._granted.add(key)
            self._waiting.pop(key, None)
            return UpgradeTurn()
        self._waiting[key] = None
        stuck_hub = others_stuck[0] if others_stuck else ""
        return UpgradeTurn(granted=False, stuck_hub=stuck_hub)

    def settle(self, key: HubKey) -> None:
        """Note that a hub has nothing to upgrade (any more)."""
        if key in self._granted:
            self._granted.discard(key)
            self._rolling.add(key)  # until `note` finds that it is not
        self._waiting.pop(key, None)

    def forget(self, key: HubKey) -> None:
        """Forget a hub that is gone."""
        self.settle(key)
        stopped = key in self._stuck
        self._enqueue_waiting(len(self._waiting) if stopped else self._concurrency)

    def note(self, key: HubKey) -> None:
        """Look at a hub that may have rolled; let those who wait ask again."""
        if not self._waiting:
            return
        live = self._children.of(key).get(ChildId(DEPLOYMENT.name, key.name))
        progress = self._progress(live) if live else None
        if key in self._stuck or (progress is not None and progress.stuck):
            self._enqueue_waiting(len(self._waiting))  # each says what stops it
        elif progress.complete if progress is not None else key in self._rolling:
            self._enqueue_waiting(self._concurrency)

    def _enqueue_waiting(self, count: int) -> None:
        for key in list(self._waiting)[:count]:
            self._enqueue(key)

    def _look(self) -> tuple[set[HubKey], set[HubKey]]:
        rolling, stuck = set(), set()
        for hub, live in self._children.all_of_kind(DEPLOYMENT):
            progress = self._progress(live)
            if progress is not None and progress.stuck:
                stuck.add(hub)
            elif progress is not None and not progress.complete:
                rolling.add(hub)
        return rolling, stuck

    def _progress(self, live: CachedObject) -> Progress | None:
        """Read a Deployment that this version rolled; None for all others."""
        if self._mark not in live.text:
            return None
        found = live.read()
        annotations = found["metadata"].get("annotations") or {}
        if annotations.get(names.ANNOTATION_UPGRADE, "").encode() != self._mark:
            return None
        return read_progress(found, None)
