"""Every string that the operator shares with Kubernetes or with the hub server.

One home, so that a label, a path or a port cannot be spelt in two ways. What stands
here is seen by users and by objects written by earlier versions: changing a value is a
migration, not an edit.
"""

GROUP = "mcp.bigtorig.com"
VERSION = "v1alpha1"
API_VERSION = f"{GROUP}/{VERSION}"
KIND = "McpHub"
PLURAL = "mcphubs"

# ------------------------------------------------------------------ field managers

FIELD_MANAGER = "mcphub-operator"
HANDOVER_MANAGER = "mcphub-operator-handover"
"""Holds a Deployment's replicas from the operator's last apply to the autoscaler's
first write; see `resources.deployment`."""

# ----------------------------------------------------------------- labels and their
# values; the first two are the selector of every hub, which must never change

LABEL_NAME = "app.kubernetes.io/name"
LABEL_INSTANCE = "app.kubernetes.io/instance"
LABEL_MANAGED_BY = "app.kubernetes.io/managed-by"
LABEL_VERSION = "app.kubernetes.io/version"
APP_NAME = "mcphub"
OPERATOR_NAME = "mcphub-operator"

MANAGED_SELECTOR = f"{LABEL_MANAGED_BY}={OPERATOR_NAME}"
PODS_SELECTOR = f"{LABEL_NAME}={APP_NAME}"

# --------------------------------------------------------------------- annotations

ANNOTATION_ADOPT = f"{GROUP}/adopt"
ANNOTATION_TAKE_OVER = f"{GROUP}/take-over-selector"
ANNOTATION_RESTART = f"{GROUP}/restart"
ANNOTATION_ROTATE = f"{GROUP}/rotate"
ANNOTATION_ROTATED = f"{GROUP}/rotated"
ANNOTATION_REVOKE = f"{GROUP}/revoke"
ANNOTATION_REVOKED = f"{GROUP}/revoked"
ANNOTATION_APPLIED = f"{GROUP}/applied"
ANNOTATION_OPERATOR = f"{GROUP}/operator"
"""On a hub's ConfigMap: which installation of the operator keeps the hub."""
ANNOTATION_INPUTS = f"{GROUP}/inputs"
ANNOTATION_TEMPLATE = f"{GROUP}/template"
ANNOTATION_UPGRADE = f"{GROUP}/upgrade"
ANNOTATION_LIVE = f"{GROUP}/live-configuration"
"""On a pod: the live configuration of which its kubelet was last told."""

ANNOTATION_CONFIG_HASH = f"{GROUP}/config-hash"
ANNOTATION_SECRETS_HASH = f"{GROUP}/secrets-hash"

# ---------------------------------------------------------- the server's side

CONTAINER = "server"
PORT_MCP = "mcp"
PORT_MCP_NUMBER = 8000
PORT_MANAGEMENT = "management"
PORT_MANAGEMENT_NUMBER = 8081

OBSERVER_ROLE = "mcphub-observer"
"""The ClusterRole of hubs that read the cluster; the server names it in its advice."""

CONFIG_KEY = "hub.yaml"
LIVE_KEY = "live.yaml"
CONFIG_FOLDER = "/etc/mcphub"
SECRETS_FOLDER = "/etc/mcphub/secrets"
OTLP_FOLDER = "otlp-exporter"
"""Below it; no backend can have this name."""
TOKENS_FOLDER = "/etc/mcphub/tokens"
KEYS_FOLDER = "/etc/mcphub/keys"
TLS_FOLDER = "/etc/mcphub/tls"

PATH_MCP = "/mcp"
PATH_SSE = "/sse"
PATH_STATUS = "/status"
PATH_LIVE = "/health/live"
PATH_READY = "/health/ready"

TOKEN_CLIENT = "default"  # noqa: S105 - the name of a client
KEY_CURRENT = "current"
KEY_PREVIOUS = "previous"
KEY_STATE = "state"
KEY_PREVIOUS_TOKEN = "previous-token"  # noqa: S105 - the name of a key
"""Key of the token before the last rotation, with the end of its grace period."""

CERTIFICATE_KEYS = ("tls.crt", "tls.key")
"""What a Secret of type kubernetes.io/tls has."""

KEY_DIGEST = "digest"
"""Key of the HMAC over the users' Secrets; it never reaches a pod."""

# --------------------------------------------------------------- names of children


def pods_service(hub: str) -> str:
    """Name of the headless Service by which replicas find each other."""
    return f"{hub}-pods"


def auth_secret(hub: str) -> str:
    """Name of the Secret with the token that the operator makes."""
    return f"{hub}-auth"


def keys_secret(hub: str) -> str:
    """Name of the Secret with the replicas' signing keys."""
    return f"{hub}-keys"


def selector_labels(hub: str) -> dict[str, str]:
    """Return the labels that select a hub's pods; they never change."""
    return {LABEL_NAME: APP_NAME, LABEL_INSTANCE: hub}


def selector_text(hub: str) -> str:
    """Return the same labels as one string, as the scale subresource wants them."""
    return ",".join(f"{key}={value}" for key, value in selector_labels(hub).items())
