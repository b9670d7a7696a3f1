"""Hubs and Secrets as a user writes them, for tests on a real cluster."""

from typing import Any

from tools.quickstart.site import NAMESPACE

DATABASE_HOST = f"postgres.{NAMESPACE}.svc"
CREDENTIALS = "demo-credentials"


def hub(name: str, /, **spec: Any) -> dict[str, Any]:
    """A hub before the trial database; a ClusterIP Service unless told otherwise."""
    return {
        "apiVersion": "mcp.bigtorig.com/v1alpha1",
        "kind": "McpHub",
        "metadata": {"name": name},
        "spec": {"backends": [backend()], **spec},
    }


def backend(
    host: str = DATABASE_HOST, secret: str = CREDENTIALS, name: str = "postgres"
) -> dict[str, Any]:
    return {
        "name": name,
        "postgres": {
            "host": host,
            "database": "shop",
            "credentialsSecretRef": {
                "name": secret,
                "usernameKey": "postgres-user",
                "passwordKey": "postgres-password",
            },
        },
    }


def login(name: str, user: str, password: str) -> dict[str, Any]:
    return secret(name, {"postgres-user": user, "postgres-password": password})


def secret(name: str, data: dict[str, str]) -> dict[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": name},
        "stringData": data,
    }


def copied(secret: dict[str, Any], name: str) -> dict[str, Any]:
    """A Secret as the API server gave it, under a name to apply."""
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": name},
        "data": secret["data"],
    }


def autoscaler(
    kind: str, name: str, least: int, most: int, percent: int
) -> dict[str, Any]:
    """A user's HorizontalPodAutoscaler `theirs`, on a Deployment or a hub."""
    groups = {"Deployment": "apps/v1", "McpHub": "mcp.bigtorig.com/v1alpha1"}
    return {
        "apiVersion": "autoscaling/v2",
        "kind": "HorizontalPodAutoscaler",
        "metadata": {"name": "theirs"},
        "spec": {
            "scaleTargetRef": {"apiVersion": groups[kind], "kind": kind, "name": name},
            "minReplicas": least,
            "maxReplicas": most,
            "metrics": [
                {
                    "type": "Resource",
                    "resource": {
                        "name": "cpu",
                        "target": {
                            "type": "Utilization",
                            "averageUtilization": percent,
                        },
                    },
                }
            ],
        },
    }
