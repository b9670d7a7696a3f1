"""A client that goes away ends its call, down to the query on the database.

uvicorn tells of a closed connection only to who asks, and while the SDK prepares a
JSON answer nobody asks: the query would run on for nobody. Once a streamed answer has
begun this keeps out of the way, for a stream may be resumed.
"""

from collections.abc import MutableMapping
from typing import Any

import anyio
from starlette.types import ASGIApp, Message, Receive, Scope, Send


async def cancel_when_gone(
    app: ASGIApp, scope: Scope, receive: Receive, send: Send
) -> None:
    """Run an application until it answers or its client has left."""
    call = WatchedCall(receive, send)
    async with anyio.create_task_group() as group:
        call.group = group
        await app(scope, call.receive, call.send)
        group.cancel_scope.cancel()


class WatchedCall:
    """One request whose connection is watched from the end of its body on."""

    def __init__(self, receive: Receive, send: Send) -> None:
        self._receive = receive
        self._send = send
        self._gone = anyio.Event()
        self._started = False
        self._watching = False
        self.group: anyio.abc.TaskGroup | None = None

    async def receive(self) -> Message:
        """Hand on the body; after it, wait for the client to leave."""
        if self._watching:
            await self._gone.wait()
            return {"type": "http.disconnect"}
        message = await self._receive()
        if message["type"] == "http.disconnect" or not message.get("more_body"):
            self._watch()
        return message

    async def send(self, message: MutableMapping[str, Any]) -> None:
        """Hand on the answer; from its start on, nothing is cancelled here."""
        self._started = True
        await self._send(message)

    def _watch(self) -> None:
        self._watching = True
        if self.group is not None:
            self.group.start_soon(self._wait_until_gone)

    async def _wait_until_gone(self) -> None:
        while (await self._receive())["type"] != "http.disconnect":
            pass
        self._gone.set()
        if not self._started and self.group is not None:
            self.group.cancel_scope.cancel()
