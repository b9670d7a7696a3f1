"""Bounds what the server may send in one message, before the driver reads it.

PostgreSQL repeats values in its errors: a cast of 60 MB of text fails with a message of
60 MB, which asyncpg reads in quadratic time on the event loop. Each message says its
length first, so one that is too long is refused by its first five bytes: the connection
is cut, the driver never sees the rest.

This rests on two private attributes of the pinned driver (`Connection._transport` and
`_protocol`); a test against a real server watches them.
"""

import asyncio
from struct import Struct
from typing import Any

HEADER_BYTES = 5
"""A letter for the kind of message, and its length without that letter."""

LONGEST_REPORT_BYTES = 65_536
"""Of an error or a notice; what is told of one is shorter by far."""

LONGEST_MESSAGE_BYTES = 4 * 1024 * 1024
"""Of a row, where a reader asks for no other bound."""

_REPORTS = frozenset(b"EN")
_LENGTH = Struct(">I")


class MessageTooLarge(OSError):
    """The server began a message that is longer than the bound."""


class BoundedProtocol(asyncio.Protocol):
    """Stands between the transport and asyncpg's protocol."""

    def __init__(self, inner: Any, transport: Any) -> None:
        self._inner = inner
        self._transport = transport
        self._begun = b""
        self._left = 0
        self._refusal: MessageTooLarge | None = None
        self.longest_message_bytes = LONGEST_MESSAGE_BYTES

    @property
    def has_refused(self) -> bool:
        """Whether the connection was cut because of a message."""
        return self._refusal is not None

    def data_received(self, data: bytes) -> None:
        """Pass on what keeps the bounds; cut the connection otherwise."""
        if self._refusal is not None:
            return
        if self._is_within_bounds(data):
            self._inner.data_received(data)
        else:
            self._refusal = MessageTooLarge("message too large")
            self._transport.abort()

    def _is_within_bounds(self, data: bytes) -> bool:
        """Read the length of each message that begins in `data`."""
        begun = len(self._begun)
        if begun:
            data = self._begun + data
        position, end = self._left, len(data)
        longest = self.longest_message_bytes
        while position + HEADER_BYTES <= end:
            length: int = _LENGTH.unpack_from(data, position + 1)[0]
            if length > longest or (
                length > LONGEST_REPORT_BYTES and data[position] in _REPORTS
            ):
                return False
            position += 1 + length
        self._begun = data[position:] if position < end else b""
        self._left = max(position - end, 0)
        return True

    def connection_lost(self, error: Exception | None) -> None:
        """Tell the driver, with the refusal as the cause if there was one."""
        self._inner.connection_lost(self._refusal or error)

    def eof_received(self) -> bool | None:
        """Pass on the end of what the server sends."""
        result: bool | None = self._inner.eof_received()
        return result

    def pause_writing(self) -> None:
        """Pass on that the transport's buffer is full."""
        self._inner.pause_writing()

    def resume_writing(self) -> None:
        """Pass on that it drains."""
        self._inner.resume_writing()


def bound_messages(connection: Any) -> None:
    """Stand in before a new connection's protocol."""
    transport = connection._transport  # noqa: SLF001 -- see the module's docstring
    inner = connection._protocol  # noqa: SLF001
    transport.set_protocol(BoundedProtocol(inner, transport))


def allow_message(connection: Any, longest_bytes: int) -> BoundedProtocol | None:
    """Say how long a row may be in the use of a connection that begins now.

    Returns:
        What bounds it. A connection that was lost just now has none; its next use
        says so.
    """
    transport = getattr(connection, "_transport", None)
    protocol: BoundedProtocol | None = (
        transport.get_protocol() if transport is not None else None
    )
    if protocol is not None:
        protocol.longest_message_bytes = longest_bytes
    return protocol
