"""The outermost layer: what a replica begins, what it sends on, how streams end.

A replica that drains, or that holds as many streams as it can, answers whoever would
begin something lasting with a 307 to the same path and `Connection: close`. Every
client resends on a new connection, credentials and body included, and that lands at
another replica. After four times it is served here all the same, as long as there is
memory: some clients follow no more than five. Without memory it is told so, for a
replica that runs out of it loses all its streams.
"""

import asyncio
from collections.abc import Mapping
from urllib.parse import parse_qs, urlencode

import msgspec
from mcp_types.version import MODERN_PROTOCOL_VERSIONS
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from mcphub_server.traffic.state import ServerState
from mcphub_server.traffic.streams import STREAM, Stream
from mcphub_server.web.asgi import find_header, read_body, send_response
from mcphub_server.web.headers import FORWARD_TOKEN_HEADER
from mcphub_server.web.jsonrpc import find_request
from mcphub_server.web.sse import build_error_event

MAX_REDIRECTS = 4
REDIRECT_DELAY_SECONDS = 0.1
REDIRECT_PARAMETER = "turn"
OK_STATUS = 200
TEMPORARY_REDIRECT = 307
UNAVAILABLE = 503

NO_ROOM_CODE = -32030
"""Of JSON-RPC, in the range left to servers."""

NO_ROOM = (
    "This hub has no room for another session; try again later. It gets room from more "
    "replicas, or from more memory for each."
)
RETRY_SECONDS = 30

STALLED_SECONDS = 30.0
"""How long a stream's client may leave it unread; what is owed piles up meanwhile."""

CUT = "The replica stopped before this call ended; call again."
DECLINED = "The replica is stopping and did not begin this call; call again."


class Admission:
    """Counts requests, turns newcomers away when need be, and ends streams."""

    def __init__(
        self, app: ASGIApp, state: ServerState, *, stateful: bool = False
    ) -> None:
        self._app = app
        self._state = state
        self._stateful = stateful

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
        elif self._must_redirect(scope):
            self._state.redirected += 1
            with self._state.request():
                await redirect(scope, receive, send)
        elif self._must_refuse(scope):
            self._state.refused += 1
            with self._state.request():
                await refuse(receive, send)
        elif is_stream(scope):
            with self._state.stream() as stream:
                await self._serve_stream(stream, scope, receive, send)
        else:
            with self._state.request():
                await self._app(scope, receive, self._closing(send))

    def _must_redirect(self, scope: Scope) -> bool:
        is_full = self._state.occupied >= self._state.capacity.comfortable
        if not (self._state.draining or is_full):
            return False
        return self._begins_something(scope) and count_redirects(scope) < MAX_REDIRECTS

    def _must_refuse(self, scope: Scope) -> bool:
        is_full = self._state.occupied >= self._state.capacity.most
        opens = self._begins_something(scope) or (
            self._stateful and opens_listening(scope)
        )
        return is_full and opens

    def _begins_something(self, scope: Scope) -> bool:
        return begins_something(scope, stateful=self._stateful)

    async def _serve_stream(
        self, stream: Stream, scope: Scope, receive: Receive, send: Send
    ) -> None:
        sending = StreamSender(stream, self._closing(send))
        scope = {**scope, STREAM: stream}
        await self._app(scope, until_ended(stream, receive), sending)
        if stream.ended.is_set():
            await sending.finish()

    def _closing(self, send: Send) -> Send:
        async def send_closing(message: Message) -> None:
            if message["type"] == "http.response.start" and self._state.draining:
                headers = list(message.get("headers", ()))
                kept = [pair for pair in headers if pair[0].lower() != b"connection"]
                message = {**message, "headers": [*kept, (b"connection", b"close")]}
            await send(message)

        return send_closing


class StreamSender:
    """Sends a stream's messages, and ends it in good order when it is cut."""

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
        """Answer what is still owed with an error, then close."""
        self._stream.finished = True
        if self._is_stalled or not self._is_open:
            return
        errors = [build_error_event(each, CUT) for each in self._stream.pending]
        errors += [build_error_event(each, DECLINED) for each in self._stream.declined]
        body = b"".join(errors)
        last = {"type": "http.response.body", "body": body, "more_body": False}
        await self._send(last)


def until_ended(stream: Stream, receive: Receive) -> Receive:
    """Return a `receive` that tells of a disconnect when the stream shall end."""

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


def is_stream(scope: Scope) -> bool:
    """Tell whether a request opens a stream that its client ends."""
    return scope["method"] == "GET" and scope["path"].rstrip("/") in {"/sse", "/mcp"}


def begins_something(scope: Scope, *, stateful: bool) -> bool:
    """Tell whether a request begins what outlasts it: a stream, or a session."""
    headers, path = scope["headers"], scope["path"].rstrip("/")
    if find_header(headers, FORWARD_TOKEN_HEADER) is not None:
        return False
    if path == "/sse":
        return bool(scope["method"] == "GET")
    opens = stateful and path == "/mcp" and scope["method"] == "POST"
    modern = find_header(headers, b"mcp-protocol-version") in MODERN_PROTOCOL_VERSIONS
    return opens and not modern and find_header(headers, b"mcp-session-id") is None


def opens_listening(scope: Scope) -> bool:
    """Tell whether a session on `/mcp` wants a stream for what the hub may tell.

    A session goes on without it; a stream that resumes a reply is another thing.
    """
    headers = scope["headers"]
    return (
        scope["method"] == "GET"
        and scope["path"].rstrip("/") == "/mcp"
        and find_header(headers, b"last-event-id") is None
        and find_header(headers, FORWARD_TOKEN_HEADER) is None
    )


async def redirect(scope: Scope, receive: Receive, send: Send) -> None:
    """Let the client try again, at another replica if luck and endpoints will.

    The body is read first: closing a connection with bytes unread resets it, and the
    answer may be lost with it.
    """
    await read_body(receive)
    await asyncio.sleep(REDIRECT_DELAY_SECONDS)
    query = read_query(scope)
    query[REDIRECT_PARAMETER] = [str(count_redirects(scope) + 1)]
    location = f"{scope['path']}?{urlencode(query, doseq=True)}"
    headers = [
        (b"location", location.encode("latin-1", "replace")),
        (b"connection", b"close"),
        (b"cache-control", b"no-store"),
    ]
    await send_response(send, TEMPORARY_REDIRECT, b"", headers)


async def refuse(receive: Receive, send: Send) -> None:
    """Say that there is no room, so that a client shows it to its user.

    A request is answered within the protocol; a stream has nobody to answer yet.
    """
    body = await read_body(receive)
    request = find_request(body) if body else None
    error = {"code": NO_ROOM_CODE, "message": NO_ROOM}
    answer = msgspec.json.encode({"jsonrpc": "2.0", "id": request, "error": error})
    status = OK_STATUS if request is not None else UNAVAILABLE
    headers = [
        (b"content-type", b"application/json"),
        (b"retry-after", str(RETRY_SECONDS).encode()),
        (b"connection", b"close"),
        (b"cache-control", b"no-store"),
    ]
    await send_response(send, status, answer, headers)


def count_redirects(scope: Scope) -> int:
    """Return how often this request was turned away already."""
    given = read_query(scope).get(REDIRECT_PARAMETER, ["0"])[0]
    return int(given) if given.isdecimal() and len(given) == 1 else 0


def read_query(scope: Scope) -> dict[str, list[str]]:
    """Return the parameters of the query."""
    query: Mapping[str, list[str]] = parse_qs(scope["query_string"].decode("latin-1"))
    return dict(query)
