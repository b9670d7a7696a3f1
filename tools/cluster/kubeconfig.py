"""Kubeconfig files: made for our programs, merged into people's own.

People's files are merged as kind does it: context `kind-<name>`, everything else in
the file untouched.
"""

from __future__ import annotations

import base64
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from tools.cluster.errors import BadInput

LISTS = ("clusters", "contexts", "users")


def build_kubeconfig(name: str, server: str, pki: Path, user: str) -> dict[str, Any]:
    """Return a kubeconfig that carries its certificates inside."""

    def data(file: str) -> str:
        return base64.b64encode((pki / file).read_bytes()).decode()

    return {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": name,
        "clusters": [
            {
                "name": name,
                "cluster": {
                    "server": server,
                    "certificate-authority-data": data("ca.crt"),
                },
            }
        ],
        "contexts": [{"name": name, "context": {"cluster": name, "user": name}}],
        "users": [
            {
                "name": name,
                "user": {
                    "client-certificate-data": data(f"{user}.crt"),
                    "client-key-data": data(f"{user}.key"),
                },
            }
        ],
    }


def write_private(path: Path, document: Mapping[str, Any]) -> None:
    """Write a kubeconfig that only its owner may read, in one step."""
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_name(f"{path.name}.{os.getpid()}.tmp")
    fresh.touch(mode=0o600)
    fresh.write_text(yaml.safe_dump(dict(document), sort_keys=False))
    fresh.replace(path)


def default_path(explicit: str | None, environ: Mapping[str, str] = os.environ) -> Path:
    """Return the kubeconfig to change: the one named, $KUBECONFIG's first, or ~'s."""
    if explicit:
        return Path(explicit).absolute()
    first = next((p for p in environ.get("KUBECONFIG", "").split(":") if p), None)
    return Path(first).absolute() if first else Path.home() / ".kube" / "config"


def without(document: Mapping[str, Any], name: str) -> dict[str, Any]:
    """Return the document with one cluster's entries taken out."""
    result = dict(document)
    for key in LISTS:
        entries = result.get(key) or []
        result[key] = [entry for entry in entries if entry.get("name") != name]
    if result.get("current-context") == name:
        result["current-context"] = ""
    return result


def merged(document: Mapping[str, Any], addition: Mapping[str, Any]) -> dict[str, Any]:
    """Return the document with another's entries added and its context current."""
    name = addition["current-context"]
    result = {"apiVersion": "v1", "kind": "Config", **without(document, name)}
    for key in LISTS:
        result[key] = [*result[key], *addition[key]]
    result["current-context"] = name
    return result


def read(path: Path) -> dict[str, Any]:
    """Return the content of a kubeconfig; empty if the file does not exist.

    Raises:
        BadInput: the file is not a kubeconfig.
    """
    if not path.exists():
        return {}
    try:
        document = yaml.safe_load(path.read_text()) or {}
    except yaml.YAMLError as error:
        raise BadInput(f"{path} is not YAML; name another with --kubeconfig") from error
    if not isinstance(document, dict):
        raise BadInput(f"{path} is not a kubeconfig; name another with --kubeconfig")
    return document


def merge_into(path: Path, addition: Mapping[str, Any]) -> None:
    """Add a cluster to a kubeconfig file."""
    write_private(path, merged(read(path), addition))


def remove_from(path: Path, name: str) -> None:
    """Take a cluster out of a kubeconfig file, if it is in there."""
    document = read(path)
    if any(c.get("name") == name for c in document.get("clusters") or []):
        write_private(path, without(document, name))
