"""Which writes the API server refused, and when each is tried again.

Rights, quotas and admission policies change without an event. A refused write is tried
later and later, and not by the passes in between, which other events bring. What one
pass was refused is due at one time. A changed spec is tried at once.
"""

import random
from collections.abc import Callable
from dataclasses import dataclass, field

from mcphub_operator.observed import HubKey
from mcphub_operator.resources.manifest import ChildId
from mcphub_operator.status.condition_model import Reason
from mcphub_operator.status.findings import Finding

FIRST_SECONDS = 5.0
LONGEST_SECONDS = 20.0
"""An API server refuses owners of a kind whose definition it has only just learned. A
new hub must not wait much longer than that lasts."""
REFUSED = frozenset({Reason.WRITE_DENIED, Reason.INVALID_SPEC})


@dataclass(frozen=True, slots=True)
class _Refusal:
    finding: Finding
    delay: float
    due: float


Write = tuple[ChildId, type]
"""A child and the sort of step that writes it."""


@dataclass(slots=True)
class _Refusals:
    generation: int
    began: float
    """When the pass began."""
    spread: float
    """Which part of a delay this pass waits, so that hubs do not try in step."""
    of_writes: dict[Write, _Refusal] = field(default_factory=dict)
    told: set[Write] = field(default_factory=set)
    """What this pass met. A write that is not asked for any more is never due."""


class RefusedWrites:
    """Refusals by hub, child and kind of write."""

    def __init__(
        self, clock: Callable[[], float], chance: Callable[[], float] = random.random
    ) -> None:
        self._clock = clock
        self._chance = chance
        self._by_hub: dict[HubKey, _Refusals] = {}

    def start_pass(self, key: HubKey, generation: int) -> None:
        """Forget what was refused of another generation of the hub."""
        started, known = self._start(generation), self._by_hub.get(key)
        if known is not None and known.generation == generation:
            started.of_writes = known.of_writes
        self._by_hub[key] = started

    def find(self, key: HubKey, write: Write) -> Finding | None:
        """Return why a write was refused, if it is not due again yet."""
        refusals = self._of(key)
        known = refusals.of_writes.get(write)
        if known is None or self._clock() >= known.due:
            return None
        refusals.told.add(write)
        return known.finding

    def note(self, key: HubKey, write: Write, finding: Finding | None) -> None:
        """Take over how a write ended."""
        refusals = self._of(key)
        known = refusals.of_writes.pop(write, None)
        if finding is None or finding.reason not in REFUSED:
            return
        delay = min(known.delay * 2, LONGEST_SECONDS) if known else FIRST_SECONDS
        due = refusals.began + delay * refusals.spread
        refusals.of_writes[write] = _Refusal(finding, delay, due)
        refusals.told.add(write)

    def find_seconds(self, key: HubKey) -> float | None:
        """Return in how many seconds a refused write is due; None: none was refused.

        Only what this pass met counts.
        """
        refusals = self._of(key)
        due = [refusals.of_writes[w].due for w in refusals.told & {*refusals.of_writes}]
        return max(0.0, min(due) - self._clock()) if due else None

    def forget(self, key: HubKey) -> None:
        """Forget a hub that is gone."""
        self._by_hub.pop(key, None)

    def _of(self, key: HubKey) -> _Refusals:
        if key not in self._by_hub:
            self._by_hub[key] = self._start(generation=0)
        return self._by_hub[key]

    def _start(self, generation: int) -> _Refusals:
        return _Refusals(generation, self._clock(), spread=0.8 + self._chance() / 5)
