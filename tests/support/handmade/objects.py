"""The old deployment's objects, under the names of docs/migrating.md."""

from pathlib import Path
from typing import Any

from tests.support.hub_manifests import secret

DEPLOYMENT = "mcp-hub"
SERVICE = "mcp-hub-service"
SECRET = "mcp-hub-secrets"
LABELS = {"app": "mcp-hub"}
_PROGRAM = Path(__file__).with_name("server.py")


def build_objects(
    image: str, node_port: int, user: str, password: str
) -> list[dict[str, Any]]:
    """Return Secret, Deployment and Service.

    Args:
        image: has Python and FastMCP: the hub server's will do.
        node_port: where clients are.
        user: the login of PostgreSQL.
        password: its password.
    """
    keys = {
        "postgres-user": user,
        "postgres-password": password,
        "qdrant-api-key": "a key of the old deployment",
        "neo4j-user": "reader",
        "neo4j-password": "a password of the old deployment",
    }
    program = {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": "mcp-hub-program"},
        "data": {"server.py": _PROGRAM.read_text()},
    }
    return [secret(SECRET, keys), program, _deployment(image), _service(node_port)]


def _deployment(image: str) -> dict[str, Any]:
    """Return one replica: without affinity, two lose half of the messages of /sse."""
    container = {
        "name": "mcp-hub",
        "image": image,
        "command": ["python", "/program/server.py"],
        "ports": [{"containerPort": 8000}],
        "readinessProbe": {"tcpSocket": {"port": 8000}, "periodSeconds": 1},
        "volumeMounts": [{"name": "program", "mountPath": "/program"}],
    }
    volume = {"name": "program", "configMap": {"name": "mcp-hub-program"}}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": DEPLOYMENT},
        "spec": {
            "replicas": 1,
            "selector": {"matchLabels": LABELS},
            "template": {
                "metadata": {"labels": LABELS},
                "spec": {"containers": [container], "volumes": [volume]},
            },
        },
    }


def _service(node_port: int) -> dict[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": SERVICE},
        "spec": {
            "type": "NodePort",
            "selector": LABELS,
            "ports": [{"port": 8000, "targetPort": 8000, "nodePort": node_port}],
        },
    }
