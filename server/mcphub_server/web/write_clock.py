"""Ends connections whose clients read nothing of what waits for them.

What a transport could not send stays in memory, and closing the transport waits until
it was sent: without a clock, for as long as the client likes.
"""

import asyncio

STALLED_SECONDS = 60.0
"""Longer than a stream may stall, which is told apart from a slow one by its events."""


class WriteClock:
    """Runs while a transport has more to send than it should.

    Args:
        transport: Aborted once it has sent nothing for a while.
    """

    def __init__(self, transport: asyncio.Transport) -> None:
        self._transport = transport
        self._left = 0
        self._timer: asyncio.TimerHandle | None = None

    def start(self) -> None:
        """The transport has a full buffer from now on."""
        self.stop()
        self._left = self._transport.get_write_buffer_size()
        loop = asyncio.get_running_loop()
        self._timer = loop.call_later(STALLED_SECONDS, self._check)

    def stop(self) -> None:
        """The client has read, or left."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _check(self) -> None:
        if self._transport.get_write_buffer_size() < self._left:
            self.start()
        else:
            self._transport.abort()
