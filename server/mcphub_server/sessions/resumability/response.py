"""One response while it is made, buffered so that it can be sent more than once.

It is sent as one JSON body if it is ready at once and nothing precedes the answer.
Otherwise it is sent as a stream, which every connection follows from its beginning.
"""

import asyncio
from enum import StrEnum
from http import HTTPStatus

from starlette.types import Message, Send

from mcphub_server.web.asgi import find_header, is_event_stream, send_response
from mcphub_server.web.headers import SESSION_HEADER
from mcphub_server.web.jsonrpc import RequestKey
from mcphub_server.web.sse import (
    EVENT_END,
    EVENT_HEAD,
    PING,
    build_error_event,
    find_answered,
    find_data,
)

PING_SECONDS = 15.0
RETRY_MILLISECONDS = 1500
"""Between the two attempts of a client: they outlast a second without any replica."""

REFUSED = "The server refused this request; open a new session and call again."
OWNER_LOST = "The replica that made this answer was lost; call again."

STREAM_HEADERS = [
    (b"content-type", b"text/event-stream"),
    (b"cache-control", b"no-cache, no-transform"),
    (b"x-accel-buffering", b"no"),
]


class Progress(StrEnum):
    """How much of a response there is."""

    EMPTY = "empty"
    PARTIAL = "partial"  # events, and no answer yet
    COMPLETE = "complete"


class BufferedResponse:
    """The response to one request.

    Attributes:
        request: The request's id.
        progress: How much of it there is.
        listeners: How many connections follow it.
    """

    def __init__(self, request: RequestKey) -> None:
        self.request = request
        self.progress = Progress.EMPTY
        self.listeners = 0
        self._start: Message = {}
        self._events: list[bytes] = []
        self._held = b""
        self._changed = asyncio.Event()

    async def take(self, message: Message) -> None:
        """Take an ASGI message of the application that makes the response."""
        if message["type"] == "http.response.start":
            self._start = message
            return
        self._held += message.get("body", b"")
        if is_event_stream(self._start):
            self._take_events()
        elif not message.get("more_body", False):
            self._complete()

    def _take_events(self) -> None:
        *events, self._held = self._held.split(EVENT_END)
        for event in events:
            if event.startswith(b":") or not event:
                continue
            self._events.append(event + EVENT_END)
            self.progress = Progress.PARTIAL
            if find_answered(event) is not None:
                self._complete()
        self._wake()

    def _complete(self) -> None:
        self.progress = Progress.COMPLETE
        self._wake()

    def _wake(self) -> None:
        self._changed.set()
        self._changed = asyncio.Event()

    @property
    def has_more_than_answer(self) -> bool:
        """Whether something precedes the answer, so that one body is not enough."""
        return self.progress is Progress.PARTIAL or len(self._events) > 1

    @property
    def size(self) -> int:
        """How many bytes are buffered."""
        return len(self._held) + sum(map(len, self._events))

    def restart(self) -> None:
        """Forget an incomplete event: the response will be made again."""
        self._start, self._held = {}, b""

    def give_up(self) -> None:
        """Complete the response with an error, because no replica can make it."""
        if self.progress is Progress.COMPLETE:
            return
        self._start, self._held = {"status": HTTPStatus.OK}, b""
        self._events.append(build_error_event(self.request, OWNER_LOST))
        self._complete()

    async def send_whole(self, send: Send) -> None:
        """Send a complete response as one body."""
        if self._events:
            session = find_header(self._start.get("headers", ()), SESSION_HEADER)
            headers = [(b"content-type", b"application/json")]
            if session is not None:
                headers.append((SESSION_HEADER, session.encode("latin-1")))
            await send_response(
                send, HTTPStatus.OK, find_data(self._events[-1]), headers
            )
        else:
            await send(self._start)
            await send({"type": "http.response.body", "body": self._held})

    async def send_stream(self, send: Send, event_id: str, session: str | None) -> None:
        """Send the response as a stream, from its beginning to its end.

        The first event is empty but for the id by which a client resumes.
        """
        headers = list(STREAM_HEADERS)
        if session is not None:
            headers.append((SESSION_HEADER, session.encode("latin-1")))
        start = {
            "type": "http.response.start",
            "status": HTTPStatus.OK,
            "headers": headers,
        }
        priming = f"id: {event_id}\r\nretry: {RETRY_MILLISECONDS}\r\ndata: \r\n\r\n"
        self.listeners += 1
        try:
            await send(start)
            await self._send_part(send, priming.encode() if event_id else PING)
            await self._send_events(send)
        finally:
            self.listeners -= 1

    async def _send_events(self, send: Send) -> None:
        sent = 0
        while True:
            changed = self._changed
            for event in self._events[sent:]:
                await self._send_part(send, event)
                sent += 1
            if self.progress is Progress.COMPLETE:
                break
            try:
                async with asyncio.timeout(PING_SECONDS):
                    await changed.wait()
            except TimeoutError:
                await self._send_part(send, PING)
        last = b"" if self._events else self._build_event()
        await send({"type": "http.response.body", "body": last, "more_body": False})

    def _build_event(self) -> bytes:
        """Return a body as the event that a stream has instead.

        An error of MCP that comes with an HTTP status answers this request as it is. A
        late refusal names no request; here it answers this one.
        """
        event = EVENT_HEAD + self._held + EVENT_END
        is_refusal = self._start["status"] != HTTPStatus.OK
        if is_refusal and find_answered(event) != self.request:
            return build_error_event(self.request, REFUSED)
        return event

    async def _send_part(self, send: Send, part: bytes) -> None:
        await send({"type": "http.response.body", "body": part, "more_body": True})
