"""WebSockets at `/mcp`: each connection is a session, on the replica that accepted it.

The SDK has no WebSocket transport; its `Server.run` serves both eras of the protocol
over a pair of streams, and this connects them to the frames of one connection. What a
request may do is decided in `traffic.connections`.
"""

import asyncio
import secrets
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any

import anyio
import structlog
from anyio.streams.memory import MemoryObjectReceiveStream, MemoryObjectSendStream
from fastmcp.server.http import set_http_request
from mcp.server.lowlevel.server import Server
from mcp.shared.dispatcher import coerce_request_id
from mcp.shared.message import SessionMessage
from mcp_types import (
    JSONRPCError,
    JSONRPCMessage,
    JSONRPCNotification,
    JSONRPCRequest,
    JSONRPCResponse,
    jsonrpc_message_adapter,
)
from pydantic import ValidationError
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from mcphub_server.auth.middleware import STILL_VALID
from mcphub_server.traffic.admission import STALLED_SECONDS
from mcphub_server.traffic.connections import Connection
from mcphub_server.traffic.streams import CUT, STREAM, enter_stream
from mcphub_server.transports.encoding import encode_response
from mcphub_server.web.bodies import RequestRefused
from mcphub_server.web.caller import current_client, enter_client
from mcphub_server.web.jsonrpc import (
    CANCELLED_METHOD,
    INTERNAL_ERROR,
    INVALID_REQUEST,
    PARSE_ERROR,
    RequestKey,
    has_invalid_id,
    parse_message,
)
from mcphub_server.web.request import INVALID_ID, LONG_NAME, get_request
from mcphub_server.web.subprotocols import MCP_SUBPROTOCOL

CHECK_SECONDS = 2.0
"""How often the token of an open connection is verified again."""

NOT_OFFERED = PlainTextResponse(
    "This hub serves no WebSockets; set transports.webSocket.enabled.\n", 404
)
NO_SUBPROTOCOL = PlainTextResponse("Offer the subprotocol mcp.\n", 400)

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Close:
    """How a connection ends: the code and the reason of RFC 6455, section 7.4."""

    code: int
    reason: str


LEFT = Close(1000, "")
NOT_TEXT = Close(1003, "Messages are text.")
WITHDRAWN = Close(1008, "The token is no longer valid.")
FAILED = Close(1011, "The session has ended.")
STOPPING = Close(1012, "This replica stops; connect again.")


class WebSocketRouter:
    """Serves WebSockets, or refuses them; passes on requests of HTTP."""

    def __init__(self, app: ASGIApp, websockets: ASGIApp | None) -> None:
        self._app = app
        self._websockets = websockets or NOT_OFFERED

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        app = self._websockets if scope["type"] == "websocket" else self._app
        await app(scope, receive, send)


class WebSockets:
    """Accepts connections that speak MCP, and runs a session over each."""

    def __init__(self, server: Server[Any]) -> None:
        self._server = server

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if MCP_SUBPROTOCOL not in scope["subprotocols"]:
            await NO_SUBPROTOCOL(scope, receive, send)
            return
        enter_client(replace(current_client(), session=secrets.token_hex(16)))
        await receive()  # the handshake
        await send({"type": "websocket.accept", "subprotocol": MCP_SUBPROTOCOL})
        enter_stream(scope[STREAM])
        session = WebSocketSession(scope, receive, send)
        # FastMCP shows tools the request of HTTP that opened their connection
        with set_http_request(Request({**scope, "type": "http", "method": "GET"})):
            close = await session.run(self._server)
        if close is not LEFT:
            await send(
                {"type": "websocket.close", "code": close.code, "reason": close.reason}
            )


class WebSocketSession:
    """One connection: reads, serves and writes until one side wants it closed."""

    def __init__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self._receive = receive
        self._send = send
        self._connection: Connection = scope[STREAM]
        self._reader = get_request(scope).reader
        self._is_valid: Callable[[], Awaitable[bool]] | None = scope.get(STILL_VALID)
        self._closing: asyncio.Future[Close] = asyncio.Future()
        self._answering = asyncio.Lock()

    async def run(self, server: Server[Any]) -> Close:
        """Serve the session; return how the connection has to be closed."""
        read_writer, read = anyio.create_memory_object_stream[
            SessionMessage | Exception
        ]()
        write, write_reader = anyio.create_memory_object_stream[SessionMessage]()
        async with read_writer, read, write, write_reader, asyncio.TaskGroup() as group:
            writing = group.create_task(self._write(write_reader))
            serving = group.create_task(self._serve(server, read, write))
            others = [
                group.create_task(self._read(read_writer)),
                group.create_task(self._wait_until_ended()),
                group.create_task(self._verify()),
            ]
            close = await self._closing
            for task in (*others, serving):
                task.cancel()
            await asyncio.gather(*others, serving, return_exceptions=True)
            writing.cancel()
        return close

    def _close(self, close: Close) -> None:
        """Decide how the connection ends, if that is not decided yet."""
        if not self._closing.done():
            self._closing.set_result(close)

    async def _serve(self, server: Server[Any], read: Any, write: Any) -> None:
        try:
            await server.run(read, write, server.create_initialization_options())
        except Exception:  # the outermost handler of a session
            log.exception("session failed")
        finally:
            self._close(FAILED)

    async def _wait_until_ended(self) -> None:
        """Answer what is pending with an error when the server ends the connection."""
        await self._connection.ended.wait()
        for request in list(self._connection.pending):
            await self._answer(build_error(request, INTERNAL_ERROR, CUT))
        self._close(STOPPING)

    async def _verify(self) -> None:
        """Close once the token that opened the connection is not valid any more."""
        while self._is_valid is not None:
            await asyncio.sleep(CHECK_SECONDS)
            if not await self._is_valid():
                self._close(WITHDRAWN)
                return

    async def _read(self, incoming: MemoryObjectSendStream[Any]) -> None:
        """Take messages until the client leaves."""
        while (event := await self._receive())["type"] == "websocket.receive":
            text = event.get("text")
            if text is None:
                self._close(NOT_TEXT)
                return
            try:
                await self._reader.admit(text.encode())
            except RequestRefused as refused:
                sentence = build_error(None, INVALID_REQUEST, refused.sentence)
                await self._send_message(sentence)
                continue
            head = parse_message(text.encode())
            if head.has_long_name:
                await self._send_message(build_error(None, INVALID_REQUEST, LONG_NAME))
                continue
            message = parse(text)
            refusal = find_refusal(message, text, self._connection)
            if refusal is not None:
                await self._send_message(refusal)
            elif message is not None:
                with suppress(anyio.BrokenResourceError):  # the session has ended
                    await incoming.send(SessionMessage(message))
        self._close(LEFT)

    async def _write(self, outgoing: MemoryObjectReceiveStream[SessionMessage]) -> None:
        async for message in outgoing:
            await self._answer(message.message)

    async def _answer(self, message: JSONRPCMessage) -> None:
        """Send a message; of the answers to one request, only the first."""
        request = find_answered(message)
        async with self._answering:
            if request is not None and request not in self._connection.pending:
                return
            await self._send_message(message)
            self._connection.forget(request)

    async def _send_message(self, message: JSONRPCMessage) -> None:
        """Send a message, unless the client has left or reads nothing."""
        text = render(message)
        try:
            async with asyncio.timeout(STALLED_SECONDS):
                await self._send({"type": "websocket.send", "text": text})
        except OSError:  # a timeout is one
            self._close(LEFT)


def parse(text: str) -> JSONRPCMessage | None:
    """Return the message of a frame, None if it holds none."""
    try:
        return jsonrpc_message_adapter.validate_json(text, by_name=False)
    except ValidationError:
        return None


def find_refusal(
    message: JSONRPCMessage | None, text: str, connection: Connection
) -> JSONRPCError | None:
    """Record a message; return the error that answers one that is not served."""
    if message is None:
        return build_error(None, PARSE_ERROR, "This frame holds no JSON-RPC message.")
    if isinstance(message, JSONRPCNotification):
        if has_invalid_id(text.encode()):
            return build_error(None, INVALID_REQUEST, INVALID_ID)
        note_cancellation(message, connection)
    if not isinstance(message, JSONRPCRequest):
        return None
    refused = connection.begin(coerce_request_id(message.id), message.method)
    return build_error(message.id, refused.code, refused.text) if refused else None


def note_cancellation(message: JSONRPCNotification, connection: Connection) -> None:
    """Forget a request that the client has cancelled: the SDK never answers it."""
    cancelled = (message.params or {}).get("requestId")
    if message.method == CANCELLED_METHOD and isinstance(cancelled, str | int):
        connection.forget(coerce_request_id(cancelled))


def find_answered(message: JSONRPCMessage) -> RequestKey | None:
    """Return the request that a message answers."""
    if isinstance(message, JSONRPCResponse | JSONRPCError) and message.id is not None:
        return coerce_request_id(message.id)
    return None


def render(message: JSONRPCMessage) -> str:
    """Return a message as JSON; an error in place of an answer that JSON lacks."""
    encoded = encode_response(message)
    if encoded is not None:
        return encoded.decode()
    try:
        return message.model_dump_json(by_alias=True, exclude_unset=True)
    except ValueError as error:
        log.warning("message not encoded", error=type(error).__name__)
        failure = build_error(
            find_answered(message), INTERNAL_ERROR, "The result is no valid JSON."
        )
        return failure.model_dump_json(by_alias=True, exclude_unset=True)


def build_error(request: RequestKey | None, code: int, text: str) -> JSONRPCError:
    """Make the JSON-RPC error that answers a request, or belongs to none."""
    error = {"code": code, "message": text}
    return JSONRPCError.model_validate(
        {"jsonrpc": "2.0", "id": request, "error": error}
    )
