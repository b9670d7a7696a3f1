"""uvicorn's WebSocket protocol, bounded where it and `websockets` are not.

Seen in uvicorn 0.54 with websockets 17.4: a message may come in any number of frames,
empty ones included; replies to a client's pings are written while the client reads
nothing; a handshake with headers that are too long is never answered; a connection
whose client reads nothing stays open after the server has closed it.
"""

from uvicorn.protocols.websockets.websockets_sansio_impl import (
    WebSocketsSansIOProtocol,
)
from websockets.frames import CloseCode, Frame

MOST_FRAMES = 1024
"""Of one message; clients send each in one frame, or in frames of some kilobytes."""

ABORT_SECONDS = 10.0
"""How long a closed connection may take to send what is buffered."""


class BoundedWebSocketProtocol(WebSocketsSansIOProtocol):
    """One connection to a WebSocket client."""

    def data_received(self, data: bytes) -> None:
        """Read what arrived; answer a handshake that cannot be read."""
        super().data_received(data)
        if self.conn.handshake_exc is not None and not self.close_sent:
            self.close_sent = True
            self.transport.write(b"".join(self.conn.data_to_send()))
            self.transport.close()

    def handle_cont(self, event: Frame) -> None:
        """Take one more frame of a message, unless it has too many."""
        if len(self.frames) >= MOST_FRAMES:
            self.conn.fail(CloseCode.MESSAGE_TOO_BIG, "too many frames")
            self.handle_parser_exception()
            return
        super().handle_cont(event)

    def pause_writing(self) -> None:
        """Read nothing from a client that reads nothing."""
        super().pause_writing()
        self.transport.pause_reading()

    def resume_writing(self) -> None:
        """Read on, unless a message still waits for the application."""
        super().resume_writing()
        if not self.read_paused:
            self.transport.resume_reading()

    async def run_asgi(self) -> None:
        """Serve the connection; afterwards, do not wait for its client for long."""
        try:
            await super().run_asgi()
        finally:
            self.loop.call_later(ABORT_SECONDS, self.transport.abort)
