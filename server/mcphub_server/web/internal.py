"""Requests that the server sends to its own endpoints, in the name of a caller."""

import asyncio
from collections.abc import Collection
from dataclasses import dataclass, field, replace

from starlette.types import ASGIApp, Message, Scope

from mcphub_server.web.asgi import Headers
from mcphub_server.web.headers import ACCEPT_HEADER
from mcphub_server.web.request import build_request, get_request, replace_request


def build_internal_scope(
    scope: Scope, kept: Collection[bytes], added: Headers, body: bytes
) -> Scope:
    """Return the scope of a POST that follows from another request.

    Args:
        scope: The request that leads to this one.
        kept: The names of the headers that it takes over.
        added: Its headers besides these and the content types.
        body: Its JSON-RPC message.
    """
    headers: Headers = [pair for pair in scope["headers"] if pair[0].lower() in kept]
    headers += [
        (b"content-type", b"application/json"),
        (ACCEPT_HEADER, b"application/json, text/event-stream"),
        *added,
    ]
    internal = {**scope, "method": "POST", "query_string": b"", "headers": headers}
    outer = get_request(scope)
    request = build_request(internal, outer.endpoint)
    request = replace(request, is_forwarded=outer.is_forwarded, body=body)
    return replace_request(internal, request)


def with_body(scope: Scope, body: bytes) -> Scope:
    """Return the scope of the same request with another body."""
    request = replace(get_request(scope), body=body, parsed=None)
    return replace_request(scope, request)


@dataclass(slots=True)
class AppResponse:
    """The response of an application to a request of this server."""

    status: int = 500
    headers: Headers = field(default_factory=list)
    body: bytearray = field(default_factory=bytearray)


async def call_app(app: ASGIApp, scope: Scope) -> AppResponse:
    """Send a request whose body the scope carries; return the whole response."""
    response = AppResponse()
    done = asyncio.Event()

    async def receive() -> Message:
        await done.wait()
        return {"type": "http.disconnect"}

    async def send(message: Message) -> None:
        if message["type"] == "http.response.start":
            response.status = message["status"]
            response.headers = list(message.get("headers", ()))
        elif message["type"] == "http.response.body":
            response.body += message.get("body", b"")
            if not message.get("more_body", False):
                done.set()

    await app({**scope}, receive, send)  # routers write into it
    return response
