"""Every string that this program shares with the operator and the server.

The packages import nothing of each other; a test compares these with theirs.
"""

RESOURCE = "mcphubs.mcp.bigtorig.com"
LABEL_NAME = "app.kubernetes.io/name"
LABEL_INSTANCE = "app.kubernetes.io/instance"
APP_NAME = "mcphub"
CONTAINER = "server"
PORT_MCP = "mcp"
PATH_MCP = "/mcp"
TOKEN_CLIENT = "default"  # noqa: S105 - the name of a client
AUDIT_EVENT = "tool call"
HEALTH_TOOL = "health_check"
HEALTHY = "healthy"


def auth_secret(hub: str) -> str:
    """Return the name of the Secret with the token that the operator makes."""
    return f"{hub}-auth"


def selector_text(hub: str) -> str:
    """Return the label selector of a hub's pods."""
    return f"{LABEL_NAME}={APP_NAME},{LABEL_INSTANCE}={hub}"
