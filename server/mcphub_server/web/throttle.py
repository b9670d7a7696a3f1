"""Throttles callers by the event loop's time that reading and refusing costs.

All callers of a replica share one event loop. Limits of calls do not count what a
message costs before it is a call, nor a refusal; a client that sends large messages, or
repeats what is refused, over many connections would take all of the loop. So each
caller has a share of that time. Beyond it, the caller's next message is read later and
the next refusal is sent later; each has a moment of its own, so that they do not all
come at once. Meanwhile what else the caller sends waits in the kernel.
"""

import asyncio

from mcphub_server.recent import RecentMap
from mcphub_server.web.caller import Share, current_share

LOOP_SHARE = 0.1
"""Of the event loop's time, what one caller gets for this over time."""

FREE_SECONDS = 0.1
"""Of the event loop's time, what a caller may use at once after a rest."""

LONGEST_WAIT_SECONDS = 5.0
"""Proxies cut silent responses later than that."""

REFUSAL_SECONDS = 0.005
"""What a refusal counts for: several times its cost, for it is of no use."""

MOST_CALLERS = 10_000


class Throttle:
    """What each caller of a replica has used; the longest unused is forgotten first."""

    def __init__(self) -> None:
        # when the loop has made up for what a caller used, on the loop's clock
        self._free_at = RecentMap[Share, float](MOST_CALLERS)

    async def spend(self, loop_seconds: float) -> bool:
        """Charge the current caller, and wait for the caller's turn.

        Returns:
            False, with nothing charged, after the longest wait; else True.
        """
        share, now = current_share(), asyncio.get_running_loop().time()
        free_at = max(self._free_at.find(share) or now, now)
        wait_seconds = free_at - now - FREE_SECONDS / LOOP_SHARE
        if wait_seconds > LONGEST_WAIT_SECONDS:
            await asyncio.sleep(LONGEST_WAIT_SECONDS)
            return False
        self._free_at.keep(share, free_at + loop_seconds / LOOP_SHARE)
        if wait_seconds > 0:
            await asyncio.sleep(wait_seconds)
        return True

    async def spend_refusal(self) -> None:
        """Hold back a refusal of the current caller until it is the caller's turn."""
        await self.spend(REFUSAL_SECONDS)

    def count_callers(self) -> int:
        """Return how many callers are remembered."""
        return len(self._free_at)
