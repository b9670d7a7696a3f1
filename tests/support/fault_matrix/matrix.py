"""The table of all faults: what was done, to how many hubs, and how it ended."""

from collections.abc import Iterable
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Run:
    """One telling of a scenario, or one thing tried."""

    fault: str
    hubs: int
    wrong: int = 0
    """End states that were not those of an undisturbed run."""

    violations: int = 0
    """Versions of a status that were not true when they were written."""

    idle_writes: int = 0
    """Writes of a second pass over what was in order."""

    seconds: float = 0.0


@dataclass(slots=True)
class Matrix:
    """All runs of a session."""

    runs: list[Run] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def add(self, run: Run) -> None:
        """Note a run."""
        self.runs.append(run)

    def rows(self) -> list[Run]:
        """Return one row a fault, in the order of their first runs."""
        found: dict[str, list[Run]] = {}
        for run in self.runs:
            found.setdefault(run.fault, []).append(run)
        return [_add_up(fault, runs) for fault, runs in found.items()]

    def build_table(self) -> str:
        """Return the table as Markdown."""
        count = {f: sum(r.fault == f for r in self.runs) for f in self._faults()}
        head = (
            "| fault | runs | hubs or fields | wrong end states | untrue statuses"
            " | writes of a second pass |\n|---|--:|--:|--:|--:|--:|"
        )
        lines = [
            f"| {row.fault} | {count[row.fault]} | {row.hubs} | {row.wrong}"
            f" | {row.violations} | {row.idle_writes} |"
            for row in self.rows()
        ]
        total = _add_up("**all**", self.runs)
        last = (
            f"| {total.fault} | {len(self.runs)} | {total.hubs} | {total.wrong}"
            f" | {total.violations} | {total.idle_writes} |"
        )
        return "\n".join([head, *lines, last])

    def _faults(self) -> set[str]:
        return {run.fault for run in self.runs}


def _add_up(fault: str, runs: Iterable[Run]) -> Run:
    each = list(runs)
    return Run(
        fault=fault,
        hubs=sum(run.hubs for run in each),
        wrong=sum(run.wrong for run in each),
        violations=sum(run.violations for run in each),
        idle_writes=sum(run.idle_writes for run in each),
        seconds=sum(run.seconds for run in each),
    )
