"""A client that reads nothing, or says no more, costs a connection little."""

import asyncio

import pytest
import uvicorn
from starlette.types import Receive, Scope, Send
from uvicorn.server import ServerState

from mcphub_server.web.http_protocol import BoundedProtocol
from mcphub_server.web.plain_protocol import PlainProtocol
from mcphub_server.web.websocket_protocol import BoundedWebSocketProtocol
from tests.unit.server.web.test_plain_protocol import HOST

EARLY = b"POST /early HTTP/1.1\r\nContent-Length: 4\r\n" + HOST + b"\r\n"
NOT_PLAIN = b"GET / HTTP/1.1\r\nX:y\r\n" + HOST + b"\r\n"
UPGRADE = (
    (
        b"GET / HTTP/1.1\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
        b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
    )
    + HOST
    + b"\r\n"
)

AnyProtocol = PlainProtocol | BoundedProtocol | BoundedWebSocketProtocol


class FakeTransport(asyncio.Transport):
    """Keeps what was written, and which protocol it belongs to."""

    def __init__(self) -> None:
        super().__init__()
        self.written = b""
        self.protocol: asyncio.BaseProtocol | None = None
        self.reads = True
        self.closed = asyncio.Event()

    def write(self, data: bytes | bytearray | memoryview) -> None:
        self.written += data

    def get_write_buffer_size(self) -> int:
        return len(self.written)

    def set_protocol(self, protocol: asyncio.BaseProtocol) -> None:
        self.protocol = protocol

    def get_protocol(self) -> asyncio.BaseProtocol:
        assert self.protocol is not None
        return self.protocol

    def pause_reading(self) -> None:
        self.reads = False

    def resume_reading(self) -> None:
        self.reads = True

    def is_closing(self) -> bool:
        return self.closed.is_set()

    def close(self) -> None:
        self.closed.set()


async def answer_early(_scope: Scope, _receive: Receive, send: Send) -> None:
    headers = [(b"content-length", b"0")]
    await send({"type": "http.response.start", "status": 401, "headers": headers})
    await send({"type": "http.response.body"})


def connect(
    kind: type[PlainProtocol | BoundedProtocol], transport: FakeTransport
) -> PlainProtocol | BoundedProtocol:
    config = uvicorn.Config(
        answer_early, log_config=None, lifespan="off", ws=BoundedWebSocketProtocol
    )
    config.load()
    protocol = kind(config=config, server_state=ServerState(), app_state={})
    transport.set_protocol(protocol)
    protocol.connection_made(transport)
    return protocol


@pytest.mark.parametrize("kind", [PlainProtocol, BoundedProtocol])
@pytest.mark.parametrize("parts", [[b"1234"], [b"12", b"34"]])
async def test_a_connection_idles_no_longer_after_a_late_body_than_otherwise(
    kind: type[PlainProtocol | BoundedProtocol], parts: list[bytes]
) -> None:
    transport = FakeTransport()
    protocol = connect(kind, transport)
    protocol.data_received(EARLY)
    await asyncio.gather(*protocol.tasks)
    assert b"401" in transport.written
    protocol.timeout_keep_alive = 0

    for part in parts:
        protocol.data_received(part)

    await transport.closed.wait()


@pytest.mark.parametrize("kind", [PlainProtocol, BoundedProtocol])
async def test_a_connection_idles_after_an_empty_line(
    kind: type[PlainProtocol | BoundedProtocol],
) -> None:
    transport = FakeTransport()
    connect(kind, transport).data_received(b"\r\n")
    protocol = transport.protocol
    assert isinstance(protocol, BoundedProtocol)
    assert protocol.timeout_keep_alive_task is not None

    protocol.data_received(b"\r")

    assert protocol.timeout_keep_alive_task is None
    protocol.connection_lost(None)


@pytest.mark.parametrize("kind", [PlainProtocol, BoundedProtocol])
async def test_a_request_in_hand_does_not_idle(
    kind: type[PlainProtocol | BoundedProtocol],
) -> None:
    transport = FakeTransport()
    protocol = connect(kind, transport)
    protocol.data_received(EARLY)
    await asyncio.gather(*protocol.tasks)

    protocol.data_received(b"1234" + EARLY)

    assert protocol.timeout_keep_alive_task is None
    protocol.connection_lost(None)
    await asyncio.gather(*protocol.tasks)


@pytest.mark.parametrize("kind", [PlainProtocol, BoundedProtocol])
@pytest.mark.parametrize("request_bytes", [NOT_PLAIN, UPGRADE])
async def test_who_takes_a_connection_over_waits_for_its_client_to_read(
    kind: type[PlainProtocol | BoundedProtocol], request_bytes: bytes
) -> None:
    transport = FakeTransport()
    protocol = connect(kind, transport)
    protocol.pause_writing()

    protocol.data_received(request_bytes)

    reader = transport.protocol
    assert isinstance(reader, BoundedProtocol | BoundedWebSocketProtocol)
    if isinstance(reader, BoundedProtocol):
        assert reader.flow.write_paused
    else:
        assert not reader.writable.is_set()
    reader.resume_writing()
    await asyncio.gather(*reader.tasks, return_exceptions=True)
    assert transport.written
    reader.connection_lost(None)
