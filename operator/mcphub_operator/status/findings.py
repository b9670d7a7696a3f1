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
    def is_transient(self) -> bool:
        """Tell whether waiting alone may mend it."""
        return self.reason in TRANSIENT


@dataclass(frozen=True, slots=True)
class Findings:
    """All that a pass found wrong, and whether an upgrade holds the hub back."""

    items: tuple[Finding, ...] = ()
    upgrade_waits: bool = False
    upgrade_stopped_by: str = ""

    @property
    def blocking(self) -> tuple[Finding, ...]:
        """Return the findings that need a person."""
        return tuple(finding for finding in self.items if not finding.is_transient)

    @property
    def transient(self) -> tuple[Finding, ...]:
        """Return the findings that the next try may not meet again."""
        return tuple(finding for finding in self.items if finding.is_transient)
