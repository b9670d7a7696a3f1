"""The names of headers, in lower case as ASGI spells them."""

REQUEST_ID_HEADER = b"x-request-id"

ACCEPT_HEADER = b"accept"
SESSION_HEADER = b"mcp-session-id"
REVISION_HEADER = b"mcp-protocol-version"
METHOD_HEADER = b"mcp-method"
NAME_HEADER = b"mcp-name"
LAST_EVENT_HEADER = b"last-event-id"
LENGTH_HEADER = b"content-length"

FORWARD_TOKEN_HEADER = b"mcphub-forward-token"
"""On a request that one replica forwards to another, in place of credentials."""

MISDIRECTED_HEADER = b"mcphub-misdirected"
"""On the response of a replica that does not answer a forwarded request."""

ANNOUNCEMENT_HEADER = b"mcphub-announcement"
"""On a request by which a replica makes itself known, and on its response."""
