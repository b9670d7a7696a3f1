"""What stands between a hub and what its spec asks for."""

from dataclasses import dataclass

from mcphub_operator.status.conditions import Reason

TRANSIENT = frozenset({Reason.WRITE_FAILED})


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong, in a sentence that says what to do."""

    reason: Reason
    message: str

    @property
    def needs_help(self) -> bool:
        """Tell whether waiting alone will not mend it."""
        return self.reason not in TRANSIENT


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a pass came to, beside what it observed."""

    problems: tuple[Problem, ...] = ()
    upgrade_waits: bool = False
    upgrade_stopped_by: str = ""

    @property
    def blocking(self) -> tuple[Problem, ...]:
        """Return the problems that somebody has to mend."""
        return tuple(p for p in self.problems if p.needs_help)
