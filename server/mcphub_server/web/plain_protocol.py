"""uvicorn's side of a connection whose requests are plain; h11 takes over the others.

h11 reads and checks HTTP in Python, which costs half as much as all that the hub does
for a small call. `plain_requests` reads what ordinary clients send; with the first
request that is not plain, the connection goes to h11 for good. The rest of a connection
is uvicorn's class for httptools, whose parser is not used.
"""

import asyncio
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from mcphub_server.web import http_protocol
from mcphub_server.web.http_protocol import BoundedProtocol, begin_idling
from mcphub_server.web.plain_requests import PlainRequest, read_plain_request
from mcphub_server.web.write_clock import WriteClock


class PlainParser:
    """What uvicorn asks its parser about a request."""

    def __init__(self) -> None:
        self.method = b""

    def get_method(self) -> bytes:
        """Return the method of the request at hand."""
        return self.method

    def get_http_version(self) -> str:
        """Return the only version of plain requests."""
        return "1.1"

    def should_keep_alive(self) -> bool:
        """Whether the connection stays open; else the request is not plain."""
        return True

    def should_upgrade(self) -> bool:
        """Whether another protocol follows; else the request is not plain."""
        return False


class PlainProtocol(HttpToolsProtocol):
    """One connection of a client, as long as its requests are plain."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self._plain = PlainParser()
        self.parser: Any = self._plain
        self._arguments, self._options = args, options
        self._missing = 0  # bytes of the body
        self._waiting = b""  # requests after the one that is answered
        self._late = 0  # bytes of a body whose request has its response
        self._timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Give a connection that sends nothing as long as one that idles."""
        super().connection_made(transport)
        self._write_clock = WriteClock(transport)
        begin_idling(self)

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop the clocks."""
        self._stop_timer()
        self._write_clock.stop()
        self._unset_keepalive_if_required()
        super().connection_lost(exc)

    def pause_writing(self) -> None:
        """Wait until the client reads, but not for ever."""
        super().pause_writing()
        self._write_clock.start()

    def resume_writing(self) -> None:
        """Write on."""
        self._write_clock.stop()
        super().resume_writing()

    def data_received(self, data: bytes) -> None:
        """Read bodies and plain heads; give the connection to h11 at any other."""
        self._unset_keepalive_if_required()
        data, self._waiting = self._waiting + data, b""
        while data:
            if self._missing:
                data = self._take_body(data)
            elif self.cycle is not None and not self.cycle.response_complete:
                self._waiting = data
                self.flow.pause_reading()
                return
            elif (request := read_plain_request(data)) is None:
                self._hand_over(data)
                return
            else:
                data = data[request.size :]
                self._begin(request)
        if not self._missing and self.cycle.response_complete:
            begin_idling(self)  # a late body has ended

    def on_response_complete(self) -> None:
        """Go on with the next request, or bound what is left of this one."""
        super().on_response_complete()
        if self.transport.is_closing():
            return
        if self._missing:
            self._timer = self.loop.call_later(
                http_protocol.REST_SECONDS, self.transport.close
            )
        elif self._waiting:
            self.data_received(b"")

    def _begin(self, request: PlainRequest) -> None:
        self._plain.method = request.method
        self.on_message_begin()
        self.url = request.target
        self.headers.extend(request.headers)
        self.on_headers_complete()
        self._missing = request.body
        if not request.body:
            self.on_message_complete()

    def _take_body(self, data: bytes) -> bytes:
        """Read what belongs to the body; return what follows."""
        part, rest = data[: self._missing], data[self._missing :]
        self._missing -= len(part)
        self.on_body(part)
        if self.cycle.response_complete:
            self._count_late(len(part))
        if not self._missing:
            self._stop_timer()
            self.on_message_complete()
        return rest

    def _count_late(self, size: int) -> None:
        self._late = self._late + size if self._missing else 0
        if self._late > http_protocol.REST_BYTES:
            self.transport.close()

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _hand_over(self, data: bytes) -> None:
        """Let h11 read from here on."""
        self.connections.discard(self)
        self._write_clock.stop()
        protocol = BoundedProtocol(*self._arguments, **self._options)
        protocol.connection_made(self.transport)
        if self.flow.write_paused:  # which the transport says only once
            protocol.pause_writing()
        self.transport.set_protocol(protocol)
        protocol.data_received(data)
