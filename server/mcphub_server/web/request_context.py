"""The outermost layer: the request's id, its client's address, and the Host guard.

In this order, so that the logs show the id of a refusal, too.
"""

import re
from collections.abc import MutableMapping, Sequence
from typing import Any
from uuid import uuid4

import structlog
from starlette.datastructures import Headers
from starlette.responses import PlainTextResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from mcphub_server.web.caller import Client, enter_client
from mcphub_server.web.forwarded import Network, Origin, find_origin
from mcphub_server.web.hosts import (
    HostPolicy,
    is_host_allowed,
    is_origin_allowed,
)

REQUEST_ID = re.compile(r"[A-Za-z0-9._:/+=-]{1,128}")

CORS_HEADERS = {
    "access-control-allow-methods": "GET, POST, DELETE, OPTIONS",
    "access-control-allow-headers": "Authorization, Content-Type, Accept, "
    "Mcp-Session-Id, MCP-Protocol-Version, Mcp-Method, Mcp-Name, Last-Event-ID, "
    "X-Request-ID, traceparent",
    "access-control-max-age": "600",
}
EXPOSED = "Mcp-Session-Id, X-Request-ID, WWW-Authenticate"

RawHeaders = list[tuple[bytes, bytes]]

STARTS = frozenset(
    {"http.response.start", "websocket.accept", "websocket.http.response.start"}
)
"""The ASGI messages with which a response begins."""


class RequestContextMiddleware:
    """Identifies each request and its client, and checks its Host and Origin.

    Args:
        app: The next layer.
        hosts: The names that this server answers to.
        trusted_proxies: The networks whose forwarding headers are accepted.
    """

    def __init__(
        self, app: ASGIApp, hosts: HostPolicy, trusted_proxies: Sequence[Network]
    ) -> None:
        self._app = app
        self._hosts = hosts
        self._trusted_proxies = trusted_proxies

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = Headers(scope=scope)
        request_id = choose_request_id(headers.get("x-request-id", ""))
        peer = scope["client"][0] if scope.get("client") else ""
        origin = find_origin(peer, scope["scheme"], headers, self._trusted_proxies)
        scope["scheme"] = origin.scheme
        enter_client(Client(address=origin.address, request_id=request_id))
        structlog.contextvars.bind_contextvars(request_id=request_id)
        page = headers.get("origin", "")
        added = [(b"x-request-id", request_id.encode())]
        answer = self._refuse(headers, origin)
        if answer is None and page:
            added += build_cors(page)
            if is_preflight(scope, headers):
                answer = Response(status_code=204, headers=CORS_HEADERS)
        await (answer or self._app)(scope, receive, add_headers(send, added))

    def _refuse(self, headers: Headers, origin: Origin) -> Response | None:
        """Return the refusal of a Host or an Origin that is not allowed."""
        if len(headers.getlist("host")) > 1 or len(headers.getlist("origin")) > 1:
            return PlainTextResponse("Send one Host and at most one Origin.\n", 400)
        host = headers.get("host", "")
        if not is_host_allowed(host, self._hosts):
            return PlainTextResponse(
                "This server does not answer to that Host; add it to allowedHosts "
                "or set publicURL.\n",
                421,
            )
        page = headers.get("origin", "")
        if page and not is_origin_allowed(page, origin.scheme, host, self._hosts):
            return PlainTextResponse(
                "Pages of that Origin may not use this server; add its host to "
                "allowedHosts or set publicURL.\n",
                403,
            )
        return None


def choose_request_id(given: str) -> str:
    """Return the client's id if it is harmless in logs and headers, else a new one."""
    return given if REQUEST_ID.fullmatch(given) else uuid4().hex


def is_preflight(scope: Scope, headers: Headers) -> bool:
    """Return whether this is the preflight request of a browser."""
    is_asking = scope["type"] == "http" and scope["method"] == "OPTIONS"
    return is_asking and "access-control-request-method" in headers


def build_cors(page: str) -> RawHeaders:
    """Return the headers that let an allowed page read the answer."""
    return [
        (b"access-control-allow-origin", page.encode("latin-1", "replace")),
        (b"access-control-expose-headers", EXPOSED.encode()),
        (b"vary", b"Origin"),
    ]


def add_headers(send: Send, added: RawHeaders) -> Send:
    """Wrap `send` so that each response carries these headers too."""

    async def send_with_headers(message: MutableMapping[str, Any]) -> None:
        if message["type"] in STARTS:
            message = {**message, "headers": [*message.get("headers", ()), *added]}
        await send(message)

    return send_with_headers
