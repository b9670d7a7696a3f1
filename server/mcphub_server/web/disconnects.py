"""Cancels a request, and with it a call outside a session, when its client leaves.

uvicorn reports a closed connection only to a caller of `receive`, and the SDK does not
call it while it prepares a JSON response: a query would run for no client. Once a
streamed response has begun, nothing is cancelled here, because it may be resumed.

Over `/mcp` with sessions a call belongs to its session and runs on, up to the
statement timeout: from revision 2025-03-26 on (Transports, Streamable HTTP) a lost
connection is not a cancellation, for which a client sends `notifications/cancelled`.
"""

import asyncio
from collections.abc import MutableMapping
from typing import Any

import anyio
from starlette.types import ASGIApp, Message, Receive, Scope, Send

UNWATCHED_SECONDS = 0.05
"""Most calls are answered sooner, and watching one costs a task."""


async def cancel_when_gone(
    app: ASGIApp, scope: Scope, receive: Receive, send: Send
) -> None:
    """Run an application until it answers or its client has left.

    Tasks of a session go on.
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
        """Pass on the body; after it, wait for the client to leave."""
        if self._soon is not None:
            await self._gone.wait()
            return {"type": "http.disconnect"}
        message = await self._receive()
        if message["type"] == "http.disconnect" or not message.get("more_body"):
            loop = asyncio.get_running_loop()
            self._soon = loop.call_later(UNWATCHED_SECONDS, self._watch)
        return message

    async def send(self, message: MutableMapping[str, Any]) -> None:
        """Pass on the response; from its start on, nothing is cancelled here."""
        self._started = True
        await self._send(message)

    async def stop_watching(self) -> None:
        """Stop the timer and the task of this request."""
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
