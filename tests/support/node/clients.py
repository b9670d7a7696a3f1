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

from tests.support.node.runtime import NodeRuntime, find_node
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
    """Return the packages of the lockfile, installed if they are missing."""
    runtime = find_node()
    folder = cache_dir() / f"node-clients-{_fingerprint()}"
    with exclusive(folder.name):
        if not folder.is_dir():
            _install(runtime, folder)
    return NodeClients(runtime.node, folder / "node_modules")


def _fingerprint() -> str:
    content = b"".join((SOURCES / name).read_bytes() for name in MANIFESTS)
    return hashlib.sha256(content).hexdigest()[:12]


def _install(runtime: NodeRuntime, folder: Path) -> None:
    partial = folder.with_name(f"{folder.name}.partial")
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(parents=True)
    for name in MANIFESTS:
        shutil.copy(SOURCES / name, partial)
    with fetching("the MCP clients of package-lock.json", NPM):
        run_logged(
            "Installing MCP clients from npm (once, 150 MB)",
            [*runtime.npm, "ci", "--ignore-scripts", "--no-fund", "--no-audit"],
            log_dir() / "node-clients.log",
            cwd=partial,
            env={**os.environ, "PATH": f"{runtime.node.parent}:{os.environ['PATH']}"},
        )
    partial.rename(folder)
