"""Objects that earlier releases of the operator applied for a hub, kept for good."""

import base64
import secrets
from pathlib import Path
from typing import Any

import yaml

from tools.project import ROOT

FOLDER = ROOT / "tests" / "integration" / "operator" / "frozen"
FILES = sorted(FOLDER.glob("*.yaml"))
SPEC: dict[str, Any] = {
    "replicas": 2,
    "autoscaling": {},
    "disruptionBudget": {},
    "service": {"type": "NodePort"},
}
"""Of the hub that they belong to."""


def read_frozen(path: Path, namespace: str, uid: str) -> list[dict[str, Any]]:
    """Return what an operator of that version applied for a hub of this uid."""
    children = list(yaml.safe_load_all(path.read_text()))
    for child in children:
        child["metadata"]["namespace"] = namespace
        child["metadata"]["ownerReferences"][0]["uid"] = uid
    return children


def make_runnable(
    children: list[dict[str, Any]], image: str, pull_secret: str, token: str
) -> list[dict[str, Any]]:
    """Fill in what the files leave open: an image that is there, and real secrets."""
    for child in children:
        if child["kind"] == "Deployment":
            pod = child["spec"]["template"]["spec"]
            pod["imagePullSecrets"] = [{"name": pull_secret}]
            pod["containers"][0]["image"] = image
        if child["kind"] == "Secret":
            child["data"] = {
                key: _encode(token if key == "default" else secrets.token_hex(32))
                for key in child["data"]
            }
    return children


def _encode(text: str) -> str:
    return base64.b64encode(text.encode()).decode()
