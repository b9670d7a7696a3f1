"""kind's command line, and the few commands that go beyond it."""

from __future__ import annotations

import argparse
import os
import re
from collections.abc import Sequence
from typing import TypeAlias

from tools.cluster.errors import BadInput

UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0}
DEFAULT_NAME = "kind"

Commands: TypeAlias = "argparse._SubParsersAction[argparse.ArgumentParser]"


def parse_duration(text: str) -> float:
    """Return the seconds in Go's notation: `90s`, `1m30s`, `0`.

    Raises:
        BadInput: it is not a duration.
    """
    if text == "0":
        return 0.0
    if not re.fullmatch(r"(\d+(\.\d+)?(ms|s|m|h))+", text):
        raise BadInput(f"{text!r} is not a duration such as 30s or 5m")
    parts = re.findall(r"(\d+(?:\.\d+)?)(ms|s|m|h)", text)
    return sum(float(number) * UNITS[unit] for number, unit in parts)


def _group(commands: Commands, name: str, about: str) -> Commands:
    parser = commands.add_parser(name, help=about)
    return parser.add_subparsers(dest="what", required=True, metavar="WHAT")


def _command(commands: Commands, name: str, about: str) -> argparse.ArgumentParser:
    parser = commands.add_parser(name, help=about)
    default = os.environ.get("KIND_CLUSTER_NAME", "")
    parser.add_argument("-n", "--name", default=default, help="the cluster's name")
    parser.add_argument("--kubeconfig", help="the kubeconfig file to change")
    return parser


def _add_kind_commands(commands: Commands) -> None:
    create = _command(_group(commands, "create", "make"), "cluster", "a cluster")
    create.add_argument("--config", help="a kind config file, - for standard input")
    create.add_argument("--image", help="a node image (the real kind's affair)")
    create.add_argument("--wait", default="0s", help="for how long to wait for nodes")
    create.add_argument("--retain", action="store_true", help="keep what failed")
    delete = _group(commands, "delete", "remove")
    _command(delete, "cluster", "one cluster")
    clusters = _command(delete, "clusters", "several clusters")
    clusters.add_argument("names", nargs="*")
    clusters.add_argument("-A", "--all", action="store_true")
    get = _group(commands, "get", "show")
    _command(get, "clusters", "the clusters")
    nodes = _command(get, "nodes", "a cluster's nodes")
    nodes.add_argument("-A", "--all-clusters", action="store_true")
    _command(get, "kubeconfig", "a kubeconfig").add_argument(
        "--internal", action="store_true"
    )
    export = _group(commands, "export", "write to files")
    _command(export, "logs", "logs").add_argument("folder", nargs="?")
    _command(export, "kubeconfig", "a kubeconfig").add_argument(
        "--internal", action="store_true"
    )
    load = _group(commands, "load", "bring images into nodes")
    for what in ("docker-image", "image-archive"):
        parser = _command(load, what, f"a {what}")
        parser.add_argument("images", nargs="+")
        parser.add_argument("--nodes", default="", help="only these, comma separated")
    commands.add_parser("version", help="show the version")


def _add_own_commands(commands: Commands) -> None:
    node = _group(commands, "node", "faults on purpose (not in kind)")
    _command(node, "kill", "pull a node's plug").add_argument("nodes", nargs="+")
    _command(node, "start", "start nodes again").add_argument("nodes", nargs="*")
    server = _group(commands, "apiserver", "faults on purpose (not in kind)")
    _command(server, "stop", "kill the API server")
    _command(server, "start", "start the API server again")
    policies = _group(commands, "policies", "NetworkPolicies (not in kind)")
    _command(policies, "enforce", "enforce them from now on")
    paths = commands.add_parser("paths", help="where programs are (not in kind)")
    paths.add_argument("program", choices=["kubectl"])
    commands.add_parser("build", help="build all that clusters need (not in kind)")
    image = _group(commands, "image", "build images (not in kind)")
    build = image.add_parser("build", help="build an image")
    named = build.add_mutually_exclusive_group(required=True)
    named.add_argument("--name", help="a name to be tagged by the image's content")
    named.add_argument("-t", "--tag", help="a name with its tag")
    build.add_argument("-f", "--file")
    build.add_argument("--build-arg", action="append", default=[])
    build.add_argument("context")


def build_parser() -> argparse.ArgumentParser:
    """Return the parser of the whole command line."""
    parser = argparse.ArgumentParser(
        prog="kind",
        description="Real Kubernetes clusters, by kind or, without Docker, by itself.",
    )
    parser.add_argument("-q", "--quiet", action="store_true")
    parser.add_argument("-v", "--verbosity", default="0")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    _add_kind_commands(commands)
    _add_own_commands(commands)
    return parser


def parse_pairs(pairs: Sequence[str]) -> dict[str, str]:
    """Return the values of `--build-arg KEY=VALUE`."""
    split = [pair.partition("=") for pair in pairs]
    for key, equals, _ in split:
        if not key or not equals:
            raise BadInput(f"--build-arg wants KEY=VALUE, not {key!r}")
    return {key: value for key, _, value in split}
