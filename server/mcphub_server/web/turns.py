"""Callers take turns: in one turn of the event loop each begins one request.

A client with many connections can hand the loop dozens of requests at once. Without
turns, all of them begin before the loop looks at its sockets again, and the request of
another client waits for every one. With turns it waits for one of each caller.
"""

import asyncio
from collections import deque

from starlette.types import ASGIApp, Receive, Scope, Send

from mcphub_server.web.caller import Share, current_share

Queue = deque[asyncio.Future[None]]


class Turns:
    """Hands out turns; belongs to one event loop."""

    def __init__(self) -> None:
        self._queues: dict[Share, Queue] = {}

    async def wait(self, share: Share) -> None:
        """Return in the caller's next turn, at once in its first of this loop turn."""
        queue = self._queues.get(share)
        if queue is None:
            if not self._queues:
                asyncio.get_running_loop().call_soon(self._next)
            self._queues[share] = deque()
            return
        turn = asyncio.get_running_loop().create_future()
        queue.append(turn)
        await turn

    def _next(self) -> None:
        """Begin one waiting request of each caller, and forget who has none."""
        for share, queue in list(self._queues.items()):
            if not begin_first(queue):
                del self._queues[share]
        if self._queues:
            asyncio.get_running_loop().call_soon(self._next)


def begin_first(queue: Queue) -> bool:
    """Wake the first request that still waits; return whether there was one."""
    while queue:
        turn = queue.popleft()
        if not turn.done():  # else its client has left
            turn.set_result(None)
            return True
    return False


class TurnsMiddleware:
    """Lets each caller's requests begin one by one."""

    def __init__(self, app: ASGIApp, turns: Turns) -> None:
        self._app = app
        self._turns = turns

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        await self._turns.wait(current_share())
        await self._app(scope, receive, send)
