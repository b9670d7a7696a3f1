"""uvicorn's HTTP/1.1 protocol with bounds on what it reads before ASGI does.

uvicorn has no clock for the head of a request, reads the rest of a body that was
refused for as long as it comes, and pays h11's 25 µs for each chunk, so a megabyte in
chunks of one byte costs seconds. ASGI sees none of this: hence a protocol class.
"""

import asyncio
import re
from enum import Enum
from typing import Any, NoReturn

import h11
import msgspec
from uvicorn.protocols.http.h11_impl import H11Protocol
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from mcphub_server.web.jsonrpc import INVALID_REQUEST
from mcphub_server.web.write_clock import WriteClock

HEAD_SECONDS = 20.0
"""From the first byte of a request to the end of its head."""

REST_SECONDS = 5.0
REST_BYTES = 4 * 1024 * 1024
"""What may follow a response of the body that its request had announced. Closing at
once would reset the connection, and the client might not get the response."""

LONGEST_HEAD = 64 * 1024
"""uvicorn's own limit."""

FREE_CHUNKS = 1024
FAIR_CHUNK_BYTES = 512
"""Beyond the first chunks, their average size must be at least that."""

EMPTY_LINE = b"\r\n"

TINY_CHUNKS = "The request body comes in too many tiny chunks."
TWO_LENGTHS = "A request has either Content-Length or Transfer-Encoding, not both."
NO_TARGET = "The request target is a URL that names no host, or a user."

ABSOLUTE = re.compile(rb"(?i:https?)://(?P<host>[^/?#@]+)(?P<rest>[/?][^#]*)?")
"""A request target as proxies get it; a server accepts it too (RFC 9112, 3.2.2)."""


def begin_idling(protocol: H11Protocol | HttpToolsProtocol) -> None:
    """Close a connection unless bytes come within uvicorn's time."""
    protocol.timeout_keep_alive_task = protocol.loop.call_later(
        protocol.timeout_keep_alive, protocol.timeout_keep_alive_handler
    )


class BoundedConnection(h11.Connection):
    """h11's state machine; refuses two lengths of one body, and tiny chunks."""

    refusal = ""
    _chunks = 0
    _bytes = 0

    def next_event(self) -> Any:
        """Return the next event.

        Raises:
            h11.RemoteProtocolError: The request is not valid, or is refused.
        """
        if self.their_state is h11.IDLE and not self._skip_empty_lines():
            return h11.NEED_DATA
        event = super().next_event()
        if isinstance(event, h11.Request):
            self._chunks = self._bytes = 0
            self._check_framing(event)
            event = self._read_target(event)
        elif isinstance(event, h11.Data):
            self._count(event)
        return event

    def _skip_empty_lines(self) -> bool:
        """Ignore empty lines before a request (RFC 9112, 2.2); False within one.

        Some clients send one behind each body.
        """
        data = self._receive_buffer._data  # noqa: SLF001 -- any other way copies it
        while data.startswith(EMPTY_LINE):
            self._receive_buffer.maybe_extract_at_most(len(EMPTY_LINE))
        return data != EMPTY_LINE[:1]

    def _check_framing(self, request: h11.Request) -> None:
        names = {name.lower() for name, _ in request.headers}
        if {b"content-length", b"transfer-encoding"} <= names:
            self._refuse(TWO_LENGTHS)

    def _read_target(self, request: h11.Request) -> h11.Request:
        """Return the request with the path alone; its URL's host replaces Host."""
        if b"://" not in request.target or request.target.startswith(b"/"):
            return request
        absolute = ABSOLUTE.fullmatch(request.target)
        if absolute is None:
            self._refuse(NO_TARGET)
        rest = absolute["rest"] or b"/"
        others = [pair for pair in request.headers if pair[0].lower() != b"host"]
        return h11.Request(
            method=request.method,
            target=rest if rest.startswith(b"/") else b"/" + rest,
            headers=[(b"host", absolute["host"]), *others],
            http_version=request.http_version,
        )

    def _count(self, data: h11.Data) -> None:
        if not (data.chunk_start or data.chunk_end):
            return
        self._chunks += 1
        self._bytes += len(data.data)
        excess = self._chunks - FREE_CHUNKS
        if excess > 0 and self._bytes < excess * FAIR_CHUNK_BYTES:
            self._refuse(TINY_CHUNKS)

    def _refuse(self, sentence: str) -> NoReturn:
        self.refusal = sentence
        raise h11.RemoteProtocolError(sentence)


class Phase(Enum):
    """What the connection's clock runs for."""

    HEAD = "a head that is not complete"
    REST = "a body whose request has its response"


class BoundedProtocol(H11Protocol):
    """One connection of a client."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.conn: BoundedConnection = BoundedConnection(h11.SERVER, LONGEST_HEAD)
        self._phase: Phase | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._rest = 0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Give a connection that sends nothing as long as one that idles."""
        super().connection_made(transport)
        self._write_clock = WriteClock(transport)
        begin_idling(self)

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop the clocks."""
        self._write_clock.stop()
        self._enter(None)
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
        """Parse bytes of the client, unless they are too many of a refused body."""
        if self._phase is Phase.REST:
            self._rest += len(data)
            if self._rest > REST_BYTES:
                self.transport.close()
                return
        super().data_received(data)
        self._enter(self._find_phase())
        if self._is_idle() and self._phase is None and not self._idles():
            begin_idling(self)  # a late body has ended, or an empty line came alone

    def on_response_complete(self) -> None:
        """Go on with the next request, or bound what is left of this one."""
        super().on_response_complete()
        self._enter(self._find_phase())

    def handle_websocket_upgrade(self, event: h11.Request) -> None:
        """Begin a WebSocket; it waits too while the client reads nothing."""
        self._write_clock.stop()
        super().handle_websocket_upgrade(event)
        if self.flow.write_paused:  # which the transport says only once
            protocol: Any = self.transport.get_protocol()
            protocol.pause_writing()

    def send_400_response(self, msg: str) -> None:
        """Refuse a request in JSON-RPC, or close if its response has begun."""
        self._send_error(400, self.conn.refusal or msg)

    def _unsupported_upgrade_warning(self) -> None:
        """Answer as if no upgrade was offered: Java's client offers one by itself."""

    def _find_phase(self) -> Phase | None:
        ours, theirs = self.conn.our_state, self.conn.their_state
        if ours is h11.DONE and theirs is h11.SEND_BODY:
            return Phase.REST
        if self._is_idle():
            has_begun = self._phase is Phase.HEAD or self.conn.trailing_data[0]
            return Phase.HEAD if has_begun else None
        return None

    def _is_idle(self) -> bool:
        """Whether no request is in hand whose head was read."""
        return self.conn.our_state is h11.IDLE and self.conn.their_state is h11.IDLE

    def _idles(self) -> bool:
        return self.timeout_keep_alive_task is not None

    def _enter(self, phase: Phase | None) -> None:
        """Start the clock of another phase."""
        if phase is self._phase:
            return
        self._phase, self._rest = phase, 0
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if phase is Phase.HEAD:
            self._timer = self.loop.call_later(HEAD_SECONDS, self._end_slow_head)
        elif phase is Phase.REST:
            self._timer = self.loop.call_later(REST_SECONDS, self.transport.close)

    def _end_slow_head(self) -> None:
        self._send_error(408, f"No request arrived within {HEAD_SECONDS:g} s.")

    def _send_error(self, status: int, sentence: str) -> None:
        """Answer with a JSON-RPC error if that is still possible, then close."""
        if self.conn.our_state in {h11.IDLE, h11.SEND_RESPONSE}:
            error = {"code": INVALID_REQUEST, "message": sentence}
            body = msgspec.json.encode({"jsonrpc": "2.0", "id": None, "error": error})
            headers = [
                (b"content-type", b"application/json"),
                (b"content-length", str(len(body)).encode()),
                (b"connection", b"close"),
            ]
            head = h11.Response(status_code=status, headers=headers)
            for event in (head, h11.Data(data=body), h11.EndOfMessage()):
                self.transport.write(self.conn.send(event) or b"")
            if self.cycle is not None:  # the application must not answer as well
                self.cycle.disconnected = True
        self.transport.close()
