"""One request to an MCP endpoint, parsed once and carried in the ASGI scope.

Layers ask `get_request` for it instead of reading headers and bodies themselves. The
body is read by the first layer that needs it, never before; the endpoints replay it
to the SDK.
"""

from dataclasses import dataclass, field
from http import HTTPStatus

from mcp_types.version import MODERN_PROTOCOL_VERSIONS
from starlette.types import ASGIApp, Receive, Scope, Send

from mcphub_server.web.asgi import Headers, rewind
from mcphub_server.web.bodies import BodyReader, RequestRefused
from mcphub_server.web.headers import (
    ACCEPT_HEADER,
    ANNOUNCEMENT_HEADER,
    FORWARD_TOKEN_HEADER,
    LAST_EVENT_HEADER,
    LENGTH_HEADER,
    REVISION_HEADER,
    SESSION_HEADER,
)
from mcphub_server.web.jsonrpc import (
    LONGEST_ID,
    LONGEST_NAME,
    Message,
    has_invalid_id,
    parse_message,
)
from mcphub_server.web.paths import Endpoint, find_endpoint

INVALID_ID = "The id of a request is a string or an integer; send one of these."

LONG_NAME = (
    f"The id of a request has at most {LONGEST_ID} characters, and what it names at "
    f"most {LONGEST_NAME} bytes."
)

WEBSOCKET = "WEBSOCKET"
"""Stands where the method of HTTP does in a request to open a WebSocket."""

REQUEST = "mcphub.request"
"""The scope's key for the `MCPRequest`."""


@dataclass(slots=True)
class MCPRequest:
    """What routing needs of a request.

    Attributes:
        endpoint: Where it arrived.
        method: Of HTTP, or `WEBSOCKET`.
        session_id: `Mcp-Session-Id`, not verified.
        revision: `MCP-Protocol-Version`, empty without one.
        last_event_id: `Last-Event-ID`, not verified.
        accept: The response types that the client understands.
        forward_token: Stands in for credentials, not verified.
        announcement: Of another replica, not verified.
        is_forwarded: Another replica forwarded it, and was verified.
        declared_size: `Content-Length`, 0 without one.
        reader: Reads the body and counts it.
        body: None until a layer has read it.
        parsed: The head of the body, None until a layer has asked for it.
    """

    endpoint: Endpoint
    method: str
    session_id: str | None = None
    revision: str = ""
    last_event_id: str | None = None
    accept: str = ""
    forward_token: str | None = None
    announcement: str | None = None
    is_forwarded: bool = False
    declared_size: int = 0
    reader: BodyReader = field(default_factory=BodyReader)
    body: bytes | None = None
    parsed: Message | None = None

    @property
    def is_modern(self) -> bool:
        """Whether the revision is one without sessions and handshakes."""
        return self.revision in MODERN_PROTOCOL_VERSIONS

    @property
    def is_websocket(self) -> bool:
        """Whether the request opens a WebSocket, which is a session by itself."""
        return self.method == WEBSOCKET

    @property
    def opens_stream(self) -> bool:
        """Whether the response lasts as long as the client likes."""
        return self.method == "GET" and self.endpoint is not Endpoint.MESSAGES

    @property
    def message(self) -> Message:
        """The head of the JSON-RPC message in the body that was read."""
        if self.parsed is None:
            self.parsed = parse_message(self.body or b"")
        return self.parsed

    async def read_body(self, receive: Receive) -> bytes:
        """Read the body unless a layer has.

        Raises:
            RequestRefused: `BodyLimits` answers it.
            ClientLeft: No response reaches the client.
        """
        if self.body is None:
            self.body = await self.reader.read(receive, self.declared_size)
            if self.message.id is None and has_invalid_id(self.body):
                raise RequestRefused(HTTPStatus.BAD_REQUEST, INVALID_ID)
            if self.message.has_long_name:
                raise RequestRefused(HTTPStatus.BAD_REQUEST, LONG_NAME)
        return self.body

    def replay(self, receive: Receive) -> Receive:
        """Return a `receive` that begins with the body if a layer has read it."""
        return receive if self.body is None else rewind(self.body, receive)


def find_request(scope: Scope) -> MCPRequest | None:
    """Return the request of a scope; None off the MCP endpoints."""
    request: MCPRequest | None = scope.get(REQUEST)
    if request is not None:
        return request
    endpoint = find_endpoint(scope["path"])
    if scope["type"] == "http" and endpoint is not None:
        request = scope[REQUEST] = build_request(scope, endpoint)
    elif scope["type"] == "websocket" and endpoint is Endpoint.HTTP:
        # no header of a session or of another replica counts on it; it has no body
        request = scope[REQUEST] = MCPRequest(endpoint, WEBSOCKET, body=b"")
    return request


def get_request(scope: Scope) -> MCPRequest:
    """Return the request of a scope below the path router."""
    request = find_request(scope)
    if request is None:
        raise LookupError("not a request to an MCP endpoint")
    return request


def build_request(scope: Scope, endpoint: Endpoint) -> MCPRequest:
    """Parse the headers; of one that is repeated, the first value counts."""
    pairs: Headers = scope["headers"]
    headers = {key.lower(): value for key, value in reversed(pairs)}

    def find(name: bytes) -> str | None:
        value = headers.get(name)
        return None if value is None else value.decode("latin-1")

    return MCPRequest(
        endpoint,
        scope["method"],
        session_id=find(SESSION_HEADER),
        revision=find(REVISION_HEADER) or "",
        last_event_id=find(LAST_EVENT_HEADER),
        accept=find(ACCEPT_HEADER) or "",
        forward_token=find(FORWARD_TOKEN_HEADER),
        announcement=find(ANNOUNCEMENT_HEADER),
        declared_size=parse_size(find(LENGTH_HEADER)),
    )


def parse_size(length: str | None) -> int:
    """Read a Content-Length, which the HTTP server has checked."""
    return int(length) if length and length.isdecimal() else 0


def replace_request(scope: Scope, request: MCPRequest) -> Scope:
    """Return the scope with another request in place of its own."""
    return {**scope, REQUEST: request}


@dataclass(frozen=True, slots=True)
class Exchange:
    """A request with both ends of its connection."""

    scope: Scope
    receive: Receive
    send: Send

    @property
    def request(self) -> MCPRequest:
        """What the scope carries."""
        return get_request(self.scope)

    async def pass_to(self, app: ASGIApp) -> None:
        """Let an application answer."""
        await app(self.scope, self.receive, self.send)
