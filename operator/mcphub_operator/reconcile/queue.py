"""The work queue: each hub at most once waiting, and never twice at work.

A hub that changes during its pass is queued again afterwards: only the newest state
counts, so any number of changes cause one more pass. Changes by users come before the
operator's own work, as in controller-runtime's priority queue: a restart with a
thousand hubs, or a lost node, does not delay a user.
"""

import asyncio
from collections.abc import Callable
from typing import NamedTuple

from mcphub_operator.observed import HubKey


class _Planned(NamedTuple):
    due: float
    delay: float
    timer: asyncio.TimerHandle


class WorkQueue:
    """Hubs that need a pass: changed ones first, each in the order of asking."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._changed: dict[HubKey, None] = {}
        self._others: dict[HubKey, None] = {}
        self._in_haste: set[HubKey] = set()
        self._since: dict[HubKey, float] = {}
        self._working: set[HubKey] = set()
        self._timers: dict[HubKey, _Planned] = {}
        self._filled = asyncio.Event()

    def __len__(self) -> int:
        return len(self._since)

    @property
    def oldest_seconds(self) -> float:
        """Return for how long the first in the queue has been waiting."""
        if not self._since:
            return 0.0
        return self._clock() - next(iter(self._since.values()))

    def is_idle(self, short_seconds: float) -> bool:
        """Tell whether nothing waits, is at work, or was put off for so short."""
        soon = any(planned.delay < short_seconds for planned in self._timers.values())
        return not (self._since or self._working or soon)

    def add(self, key: HubKey) -> None:
        """Ask for a pass."""
        self._since.setdefault(key, self._clock())
        if key not in self._working:
            self._put(key)

    def add_first(self, key: HubKey) -> None:
        """Ask for a pass before the operator's own work."""
        self._in_haste.add(key)
        self.add(key)

    def add_later(self, key: HubKey, delay_seconds: float) -> None:
        """Ask for a pass later; of several such requests the earliest counts."""
        due = self._clock() + delay_seconds
        planned = self._timers.get(key)
        if planned is not None:
            if planned.due <= due:
                return
            planned.timer.cancel()
        timer = asyncio.get_running_loop().call_later(delay_seconds, self._ring, key)
        self._timers[key] = _Planned(due, delay_seconds, timer)

    def cancel_later(self, key: HubKey) -> None:
        """Take back a request for later."""
        planned = self._timers.pop(key, None)
        if planned is not None:
            planned.timer.cancel()

    async def take(self) -> HubKey:
        """Wait for a hub that needs a pass, and begin with it."""
        while not (self._changed or self._others):
            self._filled.clear()
            await self._filled.wait()
        lane = self._changed or self._others
        key = next(iter(lane))
        del lane[key], self._since[key]
        self._in_haste.discard(key)
        self._working.add(key)
        return key

    def done(self, key: HubKey) -> None:
        """End a pass; the hub may be taken again."""
        self._working.discard(key)
        if key in self._since:
            self._put(key)

    def _put(self, key: HubKey) -> None:
        if key in self._in_haste:
            self._others.pop(key, None)
            self._changed.setdefault(key)
        else:
            self._others.setdefault(key)
        self._filled.set()

    def _ring(self, key: HubKey) -> None:
        self._timers.pop(key, None)
        self.add(key)
