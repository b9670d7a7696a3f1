"""How many log lines of one kind there may be: strangers cause lines, too.

A line that is held back is counted, and the count stands in the next line of its kind.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass

LINES = 10
WINDOW_SECONDS = 60.0


@dataclass(slots=True)
class Window:
    """The lines of one kind since a moment."""

    since: float
    written: int = 0
    held_back: int = 0


class LineBudget:
    """Lets a few lines of each kind pass in each minute."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._windows: dict[str, Window] = {}

    def take(self, kind: str) -> int | None:
        """Return None if a line of this kind must not be written now.

        Otherwise return how many were held back before it.
        """
        now = self._clock()
        window = self._windows.get(kind)
        held_back = 0
        if window is None or now - window.since >= WINDOW_SECONDS:
            held_back = window.held_back if window else 0
            window = self._windows[kind] = Window(now)
        if window.written >= LINES:
            window.held_back += 1
            return None
        window.written += 1
        return held_back
