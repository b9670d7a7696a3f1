"""Messages of PostgreSQL's protocol, bounded by their first bytes."""

import struct

import pytest

from mcphub_server.backends.postgres.bounded import (
    LONGEST_MESSAGE_BYTES,
    LONGEST_REPORT_BYTES,
    BoundedProtocol,
    MessageTooLarge,
    allow_message,
)


class FakeTransport:
    aborted = False

    def abort(self) -> None:
        self.aborted = True


class FakeProtocol:
    def __init__(self) -> None:
        self.received = b""
        self.lost: list[Exception | None] = []

    def data_received(self, data: bytes) -> None:
        self.received += data

    def connection_lost(self, error: Exception | None) -> None:
        self.lost.append(error)


def message(kind: bytes, size: int) -> bytes:
    """A message whose content has `size` bytes."""
    return kind + struct.pack(">I", size + 4) + b"x" * size


def build() -> tuple[BoundedProtocol, FakeProtocol, FakeTransport]:
    inner, transport = FakeProtocol(), FakeTransport()
    return BoundedProtocol(inner, transport), inner, transport


ORDINARY = (
    message(b"1", 0)
    + message(b"T", 300)
    + message(b"D", LONGEST_REPORT_BYTES + 1)
    + message(b"E", 500)
    + message(b"Z", 1)
)


@pytest.mark.parametrize("step", [1, 2, 3, 4, 5, 6, 7, 1_000, len(ORDINARY)])
def test_messages_within_the_bounds_pass_however_they_are_cut(step):
    protocol, inner, transport = build()

    for start in range(0, len(ORDINARY), step):
        protocol.data_received(ORDINARY[start : start + step])

    assert inner.received == ORDINARY
    assert not transport.aborted


@pytest.mark.parametrize("step", [1, 3, 5, 64])
@pytest.mark.parametrize(
    ("kind", "size"),
    [
        pytest.param(b"E", LONGEST_REPORT_BYTES, id="an error"),
        pytest.param(b"N", LONGEST_REPORT_BYTES, id="a notice"),
        pytest.param(b"D", LONGEST_MESSAGE_BYTES, id="a row"),
        pytest.param(b"?", 2**32 - 10, id="what no server sends"),
    ],
)
def test_a_message_past_its_bound_is_refused_by_its_head(kind, size, step):
    protocol, inner, transport = build()
    head = message(b"1", 0) + kind + struct.pack(">I", size + 4)

    for start in range(0, len(head), step):
        protocol.data_received(head[start : start + step])
    protocol.data_received(b"x" * 1_000)
    protocol.connection_lost(None)

    assert transport.aborted
    assert len(inner.received) < len(head)
    assert isinstance(inner.lost[0], MessageTooLarge)


def test_a_reader_may_allow_larger_rows():
    protocol, inner, transport = build()
    protocol.longest_message_bytes = 2 * LONGEST_MESSAGE_BYTES
    row = message(b"D", LONGEST_MESSAGE_BYTES + 1)

    protocol.data_received(row)

    assert inner.received == row
    assert not transport.aborted


def test_a_connection_that_breaks_by_itself_keeps_its_own_reason():
    protocol, inner, _ = build()
    broken = ConnectionResetError()

    protocol.connection_lost(broken)

    assert inner.lost == [broken]


class Connection:
    def __init__(self, transport: object) -> None:
        self._transport = transport


class Closed:
    """What asyncio's transports are after their connection was lost."""

    def get_protocol(self) -> None:
        return None


@pytest.mark.parametrize(
    "connection",
    [
        pytest.param(Connection(Closed()), id="its transport is closed"),
        pytest.param(None, id="it has left its pool"),
    ],
)
def test_a_connection_that_was_lost_just_now_is_left_to_its_next_use(connection):
    allow_message(connection, 1)
