"""Percentiles of measured times."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Spread:
    """Times in milliseconds: the middle, and what one in a hundred exceeds."""

    p50: float
    p99: float
    count: int

    def __str__(self) -> str:
        return f"{self.p50:.1f} / {self.p99:.1f} ms"


def summarize(seconds: Sequence[float]) -> Spread:
    """Return the percentiles of some times."""
    ordered = sorted(seconds)
    return Spread(_at(ordered, 0.5), _at(ordered, 0.99), len(ordered))


def _at(ordered: Sequence[float], share: float) -> float:
    return ordered[min(int(share * len(ordered)), len(ordered) - 1)] * 1000
