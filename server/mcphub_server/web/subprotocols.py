"""The subprotocols that a WebSocket client offers: MCP's, and a browser's credential.

A page cannot set headers on a WebSocket, so its token comes as an offered subprotocol,
`bearer.<base64url, without padding>`. Only `mcp` is ever accepted by the server, and
what carries a token is taken out of the scope once it is read.
"""

from base64 import urlsafe_b64decode
from collections.abc import Iterable

from starlette.types import Scope

from mcphub_server.web.asgi import replace_header

MCP_SUBPROTOCOL = "mcp"
BEARER_PREFIX = "bearer."
SUBPROTOCOL_HEADER = b"sec-websocket-protocol"


def list_offered_tokens(offered: Iterable[str]) -> list[str]:
    """Return the tokens among the offered subprotocols; an unreadable one is empty."""
    return [
        decode(name.removeprefix(BEARER_PREFIX))
        for name in offered
        if name.startswith(BEARER_PREFIX)
    ]


def decode(text: str) -> str:
    """Decode base64url without padding; return an empty text if it is not that."""
    try:
        return urlsafe_b64decode(text + "=" * (-len(text) % 4)).decode()
    except ValueError:
        return ""


def without_tokens(scope: Scope) -> Scope:
    """Return the scope of a WebSocket without the offers that carry a token."""
    kept = [
        name for name in scope["subprotocols"] if not name.startswith(BEARER_PREFIX)
    ]
    headers = replace_header(scope["headers"], SUBPROTOCOL_HEADER, ", ".join(kept))
    return {**scope, "subprotocols": kept, "headers": headers}
