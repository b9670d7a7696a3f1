"""What EXPLAIN said of statements, for the next call of the same. Pure but for a clock.

What a statement does depends on its text and on the server's procedures, and procedures
change only with a restart, which ends the connection of the call.
"""

import time
from collections.abc import Callable

from mcphub_server.recent import RecentMap

KEPT_SECONDS = 60.0
MOST = 256
LONGEST = 2_000
"""Characters; longer statements are seldom sent twice."""


class ReadVerdicts:
    """The statements that EXPLAIN called reads of their type, a short time ago."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._kept: RecentMap[tuple[str, str], float] = RecentMap(MOST)

    def has(self, text: str, query_type: str) -> bool:
        """Return whether a statement need not be explained again."""
        until = self._kept.find((text, query_type))
        return until is not None and self._clock() < until

    def keep(self, text: str, query_type: str) -> None:
        """Record that the statement is of that type."""
        if len(text) <= LONGEST:
            self._kept.keep((text, query_type), self._clock() + KEPT_SECONDS)
