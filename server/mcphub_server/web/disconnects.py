"""A client that goes away ends its request, and with that a call outside a session.

uvicorn tells of a closed connection only to who asks, and while the SDK prepares a
JSON answer nobody asks: a query would run on for nobody. Once a streamed answer has
begun this keeps out of the way, for a stream may be resumed.

Over `/mcp` with sessions a call belongs to its session and runs on, up to the
statement timeout: from revision 2025-03-26 on (Transports, Streamable HTTP) a lost
connection is not to be taken for a cancellation, for which a client sends
`notifications/cancelled`.
"""

import asyncio
from collections.abc import MutableMapping
from typing import Any

import anyio
from starlette.types import ASGIApp, Message, Receive, Scope, Send

UNWATCHED_SECONDS = 0.05
"""Most calls are answered sooner, and to watch one costs a task."""


async def cancel_when_gone(
    app: ASGIApp, scope: Scope, receive: Receive, send: Send
) -> None:
    """Run an application until it answers or its client has left.

    What it does in tasks of a session is not ended.
    """
    running = anyio.CancelScope()
    call = WatchedCall(receive, send, running)
    try:
        with running:
            await app(scope, call.receive, call.send)
    finally:
        await call.stop_watching()


class WatchedCall:
    """One request whose connection is watched from the end of its body on."""

    def __init__(
        self, receive: Receive, send: Send, running: anyio.CancelScope
    ) -> None:
        self._receive = receive
        self._send = send
        self._running = running
        self._gone = asyncio.Event()
        self._started = False
        self._soon: asyncio.TimerHandle | None = None
        self._watching: asyncio.Task[None] | None = None

    async def receive(self) -> Message:
        """Hand on the body; after it, wait for the client to leave."""
        if self._soon is not None:
            await self._gone.wait()
            return {"type": "http.disconnect"}
        message = await self._receive()
        if message["type"] == "http.disconnect" or not message.get("more_body"):
            loop = asyncio.get_running_loop()
            self._soon = loop.call_later(UNWATCHED_SECONDS, self._watch)
        return message

    async def send(self, message: MutableMapping[str, Any]) -> None:
        """Hand on the answer; from its start on, nothing is cancelled here."""
        self._started = True
        await self._send(message)

    async def stop_watching(self) -> None:
        """End what was begun for this request."""
        if self._soon is not None:
            self._soon.cancel()
        if self._watching is not None:
            self._watching.cancel()
            await asyncio.gather(self._watching, return_exceptions=True)

    def _watch(self) -> None:
        self._watching = asyncio.create_task(self._wait_until_gone())

    async def _wait_until_gone(self) -> None:
        while (await self._receive())["type"] != "http.disconnect":
            pass
        self._gone.set()
        if not self._started:
            self._running.cancel()
