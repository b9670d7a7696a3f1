"""Installs the pinned npm packages into the cache, once for each lockfile.

The lockfile carries hashes and no addresses: packages come from whatever registry
the machine's npm is set to. To move a pin, edit package.json and run `npm install
--package-lock-only` beside it.
"""

import hashlib
import json
import os
import shutil
from dataclasses import dataclass
from pathlib import Path

from tests.support.node.runtime import find_node
from tools.cluster.places import cache_dir, exclusive, log_dir
from tools.cluster.progress import run_logged
from tools.cluster.registries import NPM, fetching

SOURCES = Path(__file__).parent
MANIFESTS = ("package.json", "package-lock.json")


@dataclass(frozen=True, slots=True)
class NodeClients:
    """The installed packages, as commands."""

    node: Path
    modules: Path

    def command(self, package: str, program: str | None = None) -> list[str]:
        """Return the argv that starts a package's program (default: its namesake)."""
        folder = self.modules / package
        manifest = json.loads((folder / "package.json").read_text(encoding="utf-8"))
        name = program or package.rpartition("/")[2]
        return [str(self.node), str(folder / manifest["bin"][name])]

    @property
    def conformance(self) -> list[str]:
        """The official conformance suite."""
        return self.command("@modelcontextprotocol/conformance")

    @property
    def inspector(self) -> list[str]:
        """The official inspector, without its browser interface."""
        return [*self.command("@modelcontextprotocol/inspector"), "--cli"]

    @property
    def remote(self) -> list[str]:
        """mcp-remote, which makes a remote server a local one for desktop clients."""
        return self.command("mcp-remote")


def install_clients() -> NodeClients:
    """Return the packages of this folder's lockfile, installed if they are missing."""
    node = find_node().node
    modules = install_packages(SOURCES, "node-clients", "MCP clients", "150 MB")
    return NodeClients(node, modules)


def install_packages(sources: Path, name: str, what: str, size: str) -> Path:
    """Install a folder's lockfile into the cache, once; return the modules' folder.

    Args:
        sources: Where package.json and package-lock.json are.
        name: Of the folder in the cache, without the fingerprint.
        what: The packages in words.
        size: How much they are.
    """
    folder = cache_dir() / f"{name}-{_fingerprint(sources)}"
    with exclusive(folder.name):
        if not folder.is_dir():
            partial = folder.with_name(f"{folder.name}.partial")
            shutil.rmtree(partial, ignore_errors=True)
            partial.mkdir(parents=True)
            for manifest in MANIFESTS:
                shutil.copy(sources / manifest, partial)
            with fetching(f"the {what} of package-lock.json", NPM):
                _run_npm(partial, f"Installing {what} from npm (once, {size})", name)
            partial.rename(folder)
    return folder / "node_modules"


def _fingerprint(sources: Path) -> str:
    content = b"".join((sources / name).read_bytes() for name in MANIFESTS)
    return hashlib.sha256(content).hexdigest()[:12]


def _run_npm(folder: Path, title: str, name: str) -> None:
    runtime = find_node()
    run_logged(
        title,
        [*runtime.npm, "ci", "--ignore-scripts", "--no-fund", "--no-audit"],
        log_dir() / f"{name}.log",
        cwd=folder,
        env={**os.environ, "PATH": f"{runtime.node.parent}:{os.environ['PATH']}"},
    )
