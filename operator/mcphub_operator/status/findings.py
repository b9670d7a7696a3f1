"""What stands between a hub and what its spec asks for."""

from dataclasses import dataclass

from mcphub_operator.status.condition_model import Reason

TRANSIENT = frozenset({Reason.WRITE_FAILED})


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong, in a sentence that says what to do."""

    reason: Reason
    message: str

    @property
    def needs_help(self) -> bool:
        """Tell whether waiting alone will not mend it."""
        return self.reason not in TRANSIENT


@dataclass(frozen=True, slots=True)
class Findings:
    """What a pass came to, beside what it observed."""

    findings: tuple[Finding, ...] = ()
    upgrade_waits: bool = False
    upgrade_stopped_by: str = ""

    @property
    def blocking(self) -> tuple[Finding, ...]:
        """Return the findings that somebody has to mend."""
        return tuple(p for p in self.findings if p.needs_help)
