"""Uses the real kind, and adds what it lacks: usage metrics, faults on purpose."""

from __future__ import annotations

import argparse
import os
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn

import yaml

from tools.cluster.addons import metrics_objects
from tools.cluster.commands import run
from tools.cluster.errors import BadInput, StepFailed
from tools.cluster.progress import say, step
from tools.cluster.provider import find_real_kind

METRICS_IMAGE = "registry.k8s.io/metrics-server/metrics-server:v0.9.0"
MANIFEST = "/etc/kubernetes/manifests/kube-apiserver.yaml"
ASIDE = "/etc/kubernetes/kube-apiserver.yaml"


def hand_over(kind: str, arguments: Sequence[str]) -> NoReturn:
    """Become the real kind."""
    os.execv(kind, [kind, *arguments])  # noqa: S606 - its arguments are kind's own


def name_in_config(arguments: argparse.Namespace) -> str:
    """Return the name that kind will read from its config file, itself unread here."""
    config = getattr(arguments, "config", None)
    if not config or config == "-" or not Path(config).is_file():
        return ""
    document = yaml.safe_load(Path(config).read_text())
    return str(document.get("name", "")) if isinstance(document, dict) else ""


def create(kind: str, arguments: Sequence[str], name: str) -> int:
    """Let the real kind make a cluster, and add what ours have besides."""
    code = subprocess.run([kind, *arguments], check=False).returncode
    if code == 0:
        with step("Adding metrics-server"):
            text = yaml.safe_dump_all(metrics_objects(METRICS_IMAGE))
            _in_control_plane(name, "kubectl", "apply", "-f", "-", stdin=text)
    return code


def _in_control_plane(name: str, *words: str, stdin: str | None = None) -> None:
    environment = "--env=KUBECONFIG=/etc/kubernetes/admin.conf"
    docker = ["docker", "exec", "--interactive", environment]
    run([*docker, f"{name}-control-plane", *words], stdin=stdin)


def change_node(action: str, node: str) -> None:
    """Kill or start a node, which is a container."""
    try:
        run(["docker", action, node])
    except StepFailed as error:
        raise BadInput(f"cannot {action} node {node!r}: {error}") from error


def stop_api_server(name: str) -> None:
    """Take the API server's manifest away from the kubelet."""
    _in_control_plane(name, "mv", MANIFEST, ASIDE)


def start_api_server(name: str) -> None:
    """Give the API server's manifest back to the kubelet."""
    _in_control_plane(name, "mv", ASIDE, MANIFEST)


def carry_out(arguments: argparse.Namespace, words: Sequence[str], name: str) -> int:
    """Carry a command line out by the real kind; return the exit code."""
    kind = find_real_kind()
    match arguments.command, getattr(arguments, "what", ""):
        case "create", "cluster":
            return create(kind, words, name)
        case "node", action:
            for node in arguments.nodes:
                change_node(action, node)
        case "apiserver", "stop":
            stop_api_server(name)
        case "apiserver", "start":
            start_api_server(name)
        case "policies", _:
            say(" Nothing to do: kindnet enforces policies from kind 0.24 on")
        case "build", _:
            say(" Nothing to build: the real kind brings its own node images")
        case _:
            hand_over(kind, words)
    return 0
