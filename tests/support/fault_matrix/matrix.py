"""The table of all faults: what was done, to how many hubs, and how it ended."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import NamedTuple


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


class Row(NamedTuple):
    """All runs of one fault, as the table has them."""

    fault: str
    runs: int = 0
    hubs: int = 0
    wrong: int = 0
    violations: int = 0
    idle_writes: int = 0


@dataclass(slots=True)
class Matrix:
    """All runs of a session."""

    runs: list[Run] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def add(self, run: Run) -> None:
        """Note a run."""
        self.runs.append(run)

    def rows(self) -> list[Row]:
        """Return one row a fault, in the order of their first runs."""
        found: dict[str, list[Run]] = {}
        for run in self.runs:
            found.setdefault(run.fault, []).append(run)
        return [_add_up(fault, map(_row, runs)) for fault, runs in found.items()]

    def build_table(self) -> str:
        """Return the table as Markdown."""
        return build_table(self.rows())


def build_table(rows: Iterable[Row]) -> str:
    """Return rows as Markdown, and their sum."""
    listed = list(rows)
    head = (
        "| fault | runs | hubs or fields | wrong end states | untrue statuses"
        " | writes of a second pass |\n|---|--:|--:|--:|--:|--:|"
    )
    total = _add_up("**all**", listed)
    lines = (f"| {' | '.join(map(str, row))} |" for row in (*listed, total))
    return "\n".join([head, *lines])


def read_table(text: str) -> list[Row]:
    """Return the rows of a table that `build_table` made, without their sum."""
    found = (Row(name, *map(int, numbers.split("|"))) for name, numbers in _parse(text))
    return [row for row in found if row.fault != "**all**"]


def _parse(text: str) -> Iterable[tuple[str, str]]:
    found: list[tuple[str, str]] = _LINE.findall(text)
    return found


_LINE = re.compile(r"^\| (.+?) \|((?: \d+ \|){4} \d+) \|$", re.MULTILINE)


def _row(run: Run) -> Row:
    counts = (run.hubs, run.wrong, run.violations, run.idle_writes)
    return Row(run.fault, 1, *counts)


def _add_up(fault: str, rows: Iterable[Row]) -> Row:
    columns = zip(*(row[1:] for row in rows), strict=True)
    return Row(fault, *map(sum, columns))
