"""One measured number, what it is compared with, and the table of all of them.

Absolute times say more about the machine than about the server, so every figure that
can be a ratio is one, and its two sides are measured in turns within one run.
"""

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Figure:
    """A line of the table.

    Attributes:
        name: What was measured.
        value: The number.
        unit: `x` for ratios, else `s`, `ms`, `MiB`, or empty for a count.
        goal: The value that it should not exceed; None where there is no goal.
        how: The two sides of a ratio, or the conditions.
    """

    name: str
    value: float
    unit: str
    goal: float | None
    how: str

    @property
    def verdict(self) -> str:
        """Return how the value stands to the goal."""
        if self.goal is None:
            return ""
        if self.value <= self.goal:
            return "met"
        if self.goal == 0:
            return "missed"
        return f"missed by {(self.value / self.goal - 1) * 100:.0f} %"


HEADINGS = ("figure", "value", "goal", "", "how")


def render_table(figures: Iterable[Figure]) -> str:
    """Return the figures as a table that reads well raw and as Markdown."""
    rows = [HEADINGS, *(_cells(figure) for figure in figures)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(HEADINGS))]
    lines = [_line(row, widths) for row in rows]
    rule = "|".join("-" * (width + 2) for width in widths)
    return "\n".join([lines[0], f"|{rule}|", *lines[1:]])


def _cells(figure: Figure) -> tuple[str, ...]:
    goal = "" if figure.goal is None else f"≤ {figure.goal:g} {figure.unit}".rstrip()
    digits = {"MiB": 0, "": 1}.get(figure.unit, 2)
    value = f"{figure.value:.{digits}f} {figure.unit}".rstrip()
    return figure.name, value, goal, figure.verdict, figure.how


def _line(row: tuple[str, ...], widths: list[int]) -> str:
    padded = (cell.ljust(width) for cell, width in zip(row, widths, strict=True))
    return f"| {' | '.join(padded)} |"
