"""Which new streams and sessions a replica admits, and how streams end.

A replica that drains, or that is full, redirects (307) what would open a stream, a
WebSocket or a session to the same path, with `Connection: close`. Every client of HTTP
resends on a new connection, credentials and body included, which most likely reaches
another replica; a WebSocket's client follows or connects again by itself.
After four redirects the client is admitted here all the same while there is memory
for it: some clients follow no more than five. Without memory it is refused, because a
replica that runs out of memory loses all of its streams.
"""

import asyncio
from http import HTTPStatus
from urllib.parse import parse_qs, urlencode

import msgspec
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from mcphub_server.traffic.state import ServerState
from mcphub_server.traffic.streams import CUT, DECLINED, STREAM, Stream
from mcphub_server.web.asgi import replace_header, send_response
from mcphub_server.web.paths import Endpoint
from mcphub_server.web.request import MCPRequest, find_request
from mcphub_server.web.sse import build_error_event

MAX_REDIRECTS = 4
REDIRECT_DELAY_SECONDS = 0.1
REDIRECT_PARAMETER = "redirect_count"

NO_ROOM_CODE = -32030
"""Of JSON-RPC, in the range left to servers."""

NO_ROOM = (
    "This hub has no room for another session; try again later. It gets room from more "
    "replicas, or from more memory for each."
)
RETRY_SECONDS = 30

STALLED_SECONDS = 30.0
"""How long a client may leave its stream unread while responses pile up."""


class Admission:
    """Counts requests, redirects or refuses new sessions, and ends streams."""

    def __init__(
        self, app: ASGIApp, state: ServerState, *, stateful: bool = False
    ) -> None:
        self._app = app
        self._state = state
        self._stateful = stateful

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        request = find_request(scope)
        if request is not None and self._must_redirect(request, scope):
            self._state.redirected += 1
            with self._state.request():
                await redirect(request, scope, receive, as_answer(scope, send))
        elif request is not None and self._must_refuse(request):
            self._state.refused += 1
            with self._state.request():
                await refuse(request, receive, as_answer(scope, send))
        elif request is not None and request.is_websocket:
            with self._state.connection() as connection:
                await self._app({**scope, STREAM: connection}, receive, send)
        elif request is not None and request.opens_stream:
            with self._state.stream() as stream:
                await self._serve_stream(stream, scope, receive, send)
        else:
            with self._state.request():
                await self._app(scope, receive, self._closing(send))

    def _must_redirect(self, request: MCPRequest, scope: Scope) -> bool:
        is_full = self._state.occupied >= self._state.capacity.comfortable
        if not (self._state.draining or is_full):
            return False
        opens = opens_session(request, stateful=self._stateful)
        return opens and count_redirects(scope) < MAX_REDIRECTS

    def _must_refuse(self, request: MCPRequest) -> bool:
        if request.is_websocket and self._state.draining:
            return True
        if self._state.occupied < self._state.capacity.most:
            return False
        listens = self._stateful and opens_standalone_stream(request)
        return listens or opens_session(request, stateful=self._stateful)

    async def _serve_stream(
        self, stream: Stream, scope: Scope, receive: Receive, send: Send
    ) -> None:
        sending = StreamSender(stream, self._closing(send))
        scope = {**scope, STREAM: stream}
        await self._app(scope, until_ended(stream, receive), sending)
        if stream.ended.is_set():
            await sending.finish()

    def _closing(self, send: Send) -> Send:
        """Return a `send` that asks for a new connection while the replica drains.

        A response that began before cannot ask: its client may use the connection
        again, and the drain has to wait for that.
        """
        asks_for_new = False

        async def send_closing(message: Message) -> None:
            nonlocal asks_for_new
            if message["type"] == "http.response.start" and self._state.draining:
                asks_for_new = True
                given = message.get("headers", ())
                headers = replace_header(given, b"connection", "close")
                message = {**message, "headers": headers}
            await send(message)
            is_last = message["type"] == "http.response.body" and not message.get(
                "more_body", False
            )
            if is_last and not asks_for_new:
                self._state.note_kept_connection()

        return send_closing


class StreamSender:
    """Sends a stream's messages, and completes it when the server ends it."""

    def __init__(self, stream: Stream, send: Send) -> None:
        self._stream = stream
        self._send = send
        self._is_open = False
        self._is_stalled = False

    async def __call__(self, message: Message) -> None:
        """Send one ASGI message; an answer is pending until it has left.

        While a client does not read, uvicorn waits before it writes: a stream that
        ends meanwhile must answer the call with an error.
        """
        if message["type"] == "http.response.start":
            self._is_open = True
        else:
            self._is_open = message.get("more_body", False)
        try:
            async with asyncio.timeout(STALLED_SECONDS):
                await self._send(message)
        except TimeoutError:
            self._is_stalled = True
            self._stream.ended.set()
            raise OSError("the client does not read its stream") from None
        if message["type"] == "http.response.body":
            self._stream.note_chunk(message.get("body", b""))

    async def finish(self) -> None:
        """Answer what is still pending with an error, then close."""
        self._stream.finished = True
        if self._is_stalled or not self._is_open:
            return
        errors = [build_error_event(each, CUT) for each in self._stream.pending]
        errors += [build_error_event(each, DECLINED) for each in self._stream.declined]
        body = b"".join(errors)
        last = {"type": "http.response.body", "body": body, "more_body": False}
        await self._send(last)


def until_ended(stream: Stream, receive: Receive) -> Receive:
    """Return a `receive` that reports a disconnect when the stream has to end."""

    async def receive_or_end() -> Message:
        ended = asyncio.create_task(stream.ended.wait())
        received = asyncio.ensure_future(receive())
        try:
            await asyncio.wait({ended, received}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            ended.cancel()
            if not received.done():
                received.cancel()
        return received.result() if received.done() else {"type": "http.disconnect"}

    return receive_or_end


def opens_session(request: MCPRequest, *, stateful: bool) -> bool:
    """Return whether a request opens an SSE stream, a WebSocket or a session."""
    if request.is_websocket:
        return True
    if request.forward_token is not None:
        return False
    if request.endpoint is Endpoint.SSE:
        return request.method == "GET"
    posts = request.endpoint is Endpoint.HTTP and request.method == "POST"
    return stateful and posts and not request.is_modern and request.session_id is None


def opens_standalone_stream(request: MCPRequest) -> bool:
    """Return whether a session on `/mcp` opens a stream for messages of the server.

    A session can do without it. A stream that resumes a response is another thing.
    """
    return (
        request.endpoint is Endpoint.HTTP
        and request.method == "GET"
        and request.last_event_id is None
        and request.forward_token is None
    )


def as_answer(scope: Scope, send: Send) -> Send:
    """Return a `send` of HTTP by which a WebSocket's handshake is answered, too."""
    if scope["type"] == "http":
        return send

    async def send_instead(message: Message) -> None:
        await send({**message, "type": f"websocket.{message['type']}"})

    return send_instead


async def redirect(
    request: MCPRequest, scope: Scope, receive: Receive, send: Send
) -> None:
    """Let the client try again, most likely at another replica.

    The body is read first: closing a connection with unread bytes resets it, and the
    client may not get the response.
    """
    await request.read_body(receive)
    await asyncio.sleep(REDIRECT_DELAY_SECONDS)
    query = read_query(scope)
    query[REDIRECT_PARAMETER] = [str(count_redirects(scope) + 1)]
    location = f"{scope['path']}?{urlencode(query, doseq=True)}"
    headers = [
        (b"location", location.encode("latin-1", "replace")),
        (b"connection", b"close"),
        (b"cache-control", b"no-store"),
    ]
    await send_response(send, HTTPStatus.TEMPORARY_REDIRECT, b"", headers)


async def refuse(given: MCPRequest, receive: Receive, send: Send) -> None:
    """Say that there is no room, so that a client shows it to its user.

    A request gets a JSON-RPC error; a GET carries no request that could get one.
    """
    await given.read_body(receive)
    request = given.message.request_id
    error = {"code": NO_ROOM_CODE, "message": NO_ROOM}
    answer = msgspec.json.encode({"jsonrpc": "2.0", "id": request, "error": error})
    is_request = request is not None
    status = HTTPStatus.OK if is_request else HTTPStatus.SERVICE_UNAVAILABLE
    headers = [
        (b"content-type", b"application/json"),
        (b"retry-after", str(RETRY_SECONDS).encode()),
        (b"connection", b"close"),
        (b"cache-control", b"no-store"),
    ]
    await send_response(send, status, answer, headers)


def count_redirects(scope: Scope) -> int:
    """Return how often this request was redirected already."""
    given = read_query(scope).get(REDIRECT_PARAMETER, ["0"])[0]
    return int(given) if given.isdecimal() and len(given) == 1 else 0


def read_query(scope: Scope) -> dict[str, list[str]]:
    """Return the parameters of the query."""
    return dict(parse_qs(scope["query_string"].decode("latin-1")))
