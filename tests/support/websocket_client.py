"""MCP clients over a WebSocket: the SDK's session, and bare frames."""

import asyncio
import json
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from itertools import count
from typing import Any

import anyio
from fastmcp.client.transports.base import (
    ClientTransport,
    SessionKwargs,
    TransportOptions,
)
from mcp import ClientSession
from mcp.shared.message import SessionMessage
from mcp_types import jsonrpc_message_adapter
from typing_extensions import Unpack
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

SUBPROTOCOL = "mcp"
OPENING = {
    "protocolVersion": "2025-11-25",
    "capabilities": {},
    "clientInfo": {"name": "test", "version": "1"},
}
INITIALIZED = {"jsonrpc": "2.0", "method": "notifications/initialized"}


def bearer(token: str) -> dict[str, str]:
    """Return the header of a client that is not a page."""
    return {"Authorization": f"Bearer {token}"}


@asynccontextmanager
async def open_websocket(
    url: str,
    headers: Mapping[str, str] | None = None,
    subprotocols: Sequence[str] = (SUBPROTOCOL,),
    path: str = "/mcp",
    **options: Any,
) -> AsyncIterator[ClientConnection]:
    """Open a connection to a server whose base URL begins with http."""
    address = f"{url.replace('http', 'ws', 1)}{path}"
    options = {"proxy": None, "compression": None, "max_size": None, **options}
    async with connect(
        address,
        additional_headers=dict(headers or {}),
        subprotocols=subprotocols,  # type: ignore[arg-type]
        **options,
    ) as connection:
        yield connection


class WebSocketTransport(ClientTransport):
    """Lets FastMCP's client, and with it the SDK's session, speak over a WebSocket."""

    def __init__(self, url: str, headers: Mapping[str, str]) -> None:
        self.url = url
        self.headers = headers

    @asynccontextmanager
    async def connect_session(
        self,
        *,
        transport_options: TransportOptions | None = None,
        **session_kwargs: Unpack[SessionKwargs],
    ) -> AsyncIterator[ClientSession]:
        """Open a connection, and a session on it."""
        options = transport_options or TransportOptions()
        incoming, read = anyio.create_memory_object_stream[Any](16)
        write, outgoing = anyio.create_memory_object_stream[SessionMessage](16)
        async with (
            open_websocket(self.url, self.headers) as connection,
            asyncio.TaskGroup() as group,
        ):
            ways = (
                group.create_task(receive(connection, incoming)),
                group.create_task(send(connection, outgoing)),
            )
            async with options.session_class(read, write, **session_kwargs) as session:
                yield session
            for way in ways:
                way.cancel()


async def receive(connection: ClientConnection, incoming: Any) -> None:
    """Pass on what the server sends."""
    async with incoming:
        with suppress(ConnectionClosed):
            async for frame in connection:
                message = jsonrpc_message_adapter.validate_json(frame, by_name=False)
                await incoming.send(SessionMessage(message))


async def send(connection: ClientConnection, outgoing: Any) -> None:
    """Send what the session writes."""
    async with outgoing:
        with suppress(ConnectionClosed):
            async for message in outgoing:
                await connection.send(
                    message.message.model_dump_json(by_alias=True, exclude_unset=True)
                )


class FrameClient:
    """A client that writes its own frames."""

    def __init__(self, connection: ClientConnection) -> None:
        self.connection = connection
        self._ids = count(1)

    async def open(self) -> None:
        """Begin a session."""
        await self.ask("initialize", OPENING)
        await self.connection.send(json.dumps(INITIALIZED))

    async def post(self, method: str, params: Any = None, number: Any = None) -> Any:
        """Send a request; return its id."""
        number = next(self._ids) if number is None else number
        request = {"jsonrpc": "2.0", "id": number, "method": method}
        await self.connection.send(json.dumps({**request, "params": params or {}}))
        return number

    async def call(self, tool: str, **arguments: Any) -> Any:
        """Send a call; return its id."""
        return await self.post("tools/call", {"name": tool, "arguments": arguments})

    async def read(self) -> Any:
        """Return the next message of the server."""
        return json.loads(await self.connection.recv())

    async def ask(self, method: str, params: Any = None) -> Any:
        """Send a request; return its answer."""
        number = await self.post(method, params)
        while (answer := await self.read()).get("id") != number:
            pass
        return answer

    async def read_to_end(self) -> list[Any]:
        """Return all messages up to the end of the connection."""
        messages = []
        with suppress(ConnectionClosed):
            while True:
                messages.append(await self.read())
        return messages


@asynccontextmanager
async def frame_client(url: str, token: str, **options: Any) -> AsyncIterator[Any]:
    """Run a session of bare frames."""
    async with open_websocket(url, bearer(token), **options) as connection:
        client = FrameClient(connection)
        await client.open()
        yield client
