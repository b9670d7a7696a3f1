"""Which hubs another installation of the operator keeps.

Two installations with different Leases would undo each other's writes without end. Each
writes its name on a hub's ConfigMap. One that finds another name tries whether that
one is alive: it writes its own name, nothing else, and waits. If the other name comes
back, the hub is the other's, and nothing is written for a while. If it does not, the
other is gone (it was moved, or removed), and the hub is taken over.
"""

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum

from mcphub_operator.observed import HubKey

TRY_SECONDS = 15.0
"""How long a living installation may take to put its name back."""
LEAVE_SECONDS = 300.0
"""How long a hub is left to another installation before it is tried again."""
CONTEST_SECONDS = 60.0
CONTESTED = 3
"""Of two that both began, the one whose name comes later leaves after so many turns."""


class Verdict(Enum):
    """What to do with a hub."""

    KEEP = "it is this installation's"
    TRY = "write this installation's name, and look again"
    WAIT = "whose it is will be known later"
    FOUND = "another installation has just shown that it keeps it"
    LEAVE = "another installation keeps it"


@dataclass(frozen=True, slots=True)
class Claim:
    """A verdict, and when to look again."""

    verdict: Verdict
    again_seconds: float = 0.0


@dataclass(slots=True)
class _Turns:
    first: float
    count: int = 0


class Installations:
    """Judges hubs by the name on their ConfigMaps."""

    def __init__(self, own: str, clock: Callable[[], float]) -> None:
        self.own = own
        self._clock = clock
        self._kept: set[HubKey] = set()
        self._tried: dict[HubKey, float] = {}
        self._left: dict[HubKey, float] = {}
        self._seen: dict[HubKey, float] = {}
        self._turns: dict[HubKey, _Turns] = {}
        self._lost: set[HubKey] = set()
        """Hubs whose other name was counted, and has not been written over yet."""

    @property
    def count_left(self) -> int:
        """Return how many hubs are left to others."""
        return len(self._left)

    def judge(self, key: HubKey, name: str) -> Claim:
        """Tell what to do with a hub.

        Args:
            key: the hub.
            name: the installation that its ConfigMap names; empty if none.
        """
        if not self.own or (name == self.own and key in self._kept):
            return Claim(Verdict.KEEP)
        if name == self.own:
            return self._judge_own(key)
        if key in self._kept and not self._loses(key, name):
            return Claim(Verdict.KEEP)
        return self._judge_other(key) if name else self._judge_unnamed(key)

    def keep(self, key: HubKey) -> None:
        """Note that this installation wrote a hub."""
        self._kept.add(key)
        self._lost.discard(key)

    def retract(self, key: HubKey) -> None:
        """Note that this installation's name was not written after all."""
        self._tried.pop(key, None)

    def forget(self, key: HubKey) -> None:
        """Forget a hub that is gone."""
        self._kept.discard(key)
        self._lost.discard(key)
        for known in (self._tried, self._left, self._seen, self._turns):
            known.pop(key, None)

    def _judge_own(self, key: HubKey) -> Claim:
        left = self._find_left(self._tried, key, TRY_SECONDS)
        if left > 0:
            return Claim(Verdict.WAIT, left)
        self.forget(key)
        self.keep(key)
        return Claim(Verdict.KEEP)

    def _judge_other(self, key: HubKey) -> Claim:
        if self._tried.pop(key, None) is not None:
            self._left[key] = self._clock()
            return Claim(Verdict.FOUND, LEAVE_SECONDS)
        left = self._find_left(self._left, key, LEAVE_SECONDS)
        if left > 0:
            return Claim(Verdict.LEAVE, left)
        self._left.pop(key, None)
        self._tried[key] = self._clock()
        return Claim(Verdict.TRY, TRY_SECONDS)

    def _judge_unnamed(self, key: HubKey) -> Claim:
        """Let a living installation go first with a new hub."""
        if self._left and key not in self._seen:
            self._seen[key] = self._clock()
        left = self._find_left(self._seen, key, TRY_SECONDS)
        return Claim(Verdict.WAIT, left) if left > 0 else Claim(Verdict.KEEP)

    def _loses(self, key: HubKey, name: str) -> bool:
        """Tell whether to leave a hub over which two installations fight."""
        if not name or name > self.own or key in self._lost:
            return False
        self._lost.add(key)
        turns = self._turns.setdefault(key, _Turns(self._clock()))
        if self._clock() - turns.first > CONTEST_SECONDS:
            turns.first, turns.count = self._clock(), 0
        turns.count += 1
        if turns.count < CONTESTED:
            return False
        self.forget(key)
        self._tried[key] = self._clock()  # the other has answered already
        return True

    def _find_left(
        self, known: dict[HubKey, float], key: HubKey, seconds: float
    ) -> float:
        if key not in known:
            return 0.0
        return known[key] + seconds - self._clock()
