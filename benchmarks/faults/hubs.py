"""The two hubs of the bench and their Secrets, as objects; pure.

One hub keeps sessions on `/mcp` and one does not; both serve `/sse`.
"""

from base64 import b64encode
from collections.abc import Mapping
from typing import Any

from tools.quickstart.site import NAMESPACE

STATELESS, STATEFUL = "steady", "steady-sessions"
REPLICAS = {STATELESS: 3, STATEFUL: 2}
NODE_PORTS = {STATELESS: 30810, STATEFUL: 30811}
SESSIONS = {STATELESS: "Stateless", STATEFUL: "Stateful"}
CREDENTIALS, TOKENS = "steady-credentials", "steady-tokens"
POOL = 16
"""One replica bears the load of all; together they rarely hold 97, the trial's most."""


def build_secret(name: str, data: Mapping[str, str]) -> dict[str, Any]:
    """Make a Secret."""
    metadata = {"name": name, "namespace": NAMESPACE}
    encoded = {key: b64encode(value.encode()).decode() for key, value in data.items()}
    kinds = {"apiVersion": "v1", "kind": "Secret"}
    return {**kinds, "metadata": metadata, "data": encoded}


def build_hub(name: str) -> dict[str, Any]:
    """Make one of the two hubs."""
    keys = {"usernameKey": "user", "passwordKey": "password"}
    postgres = {
        "host": f"postgres.{NAMESPACE}.svc",
        "database": "shop",
        "credentialsSecretRef": {"name": CREDENTIALS, **keys},
        "pool": {"maxSize": POOL},
    }
    return {
        "apiVersion": "mcp.bigtorig.com/v1alpha1",
        "kind": "McpHub",
        "metadata": {"name": name, "namespace": NAMESPACE},
        "spec": {
            "replicas": REPLICAS[name],
            "backends": [{"name": "postgres", "postgres": postgres}],
            "service": {"type": "NodePort", "nodePort": NODE_PORTS[name]},
            "transports": {"streamableHTTP": {"sessions": SESSIONS[name]}},
            "auth": {"tokensSecretRef": {"name": TOKENS}},
        },
    }


def build_autoscaling(least: int, most: int) -> dict[str, Any]:
    """Make an autoscaler that only its lower bound moves, without the usual delay."""
    return {
        "minReplicas": least,
        "maxReplicas": most,
        "targetCPUUtilizationPercentage": 1000,
        "behavior": {"scaleDown": {"stabilizationWindowSeconds": 0}},
    }
