"""A registry on loopback that asks for a password, as registries on the internet do."""

from __future__ import annotations

import asyncio
import base64
import json
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.support.postgres import is_listening
from tests.support.system_packages import ensure_packages
from tests.support.waiting import wait_until
from tools.ports import reserve_port

PACKAGES = {
    "docker-registry": "docker-registry",
    "skopeo": "skopeo",
    "buildah": "buildah",
}
SERVE = ("docker-registry", "serve")
USER, PASSWORD = "pusher", "trial"
# PASSWORD by bcrypt, the only form that the registry reads.
HASH = "$2b$05$pv2xh7RIDDMyonBBzsmHpuQM8P2GRUBfZk9iwzdJGpbqXC6LcOp12"
CONFIG = """version: 0.1
log: {{level: error}}
storage:
  filesystem: {{rootdirectory: {folder}/data}}
http:
  addr: 127.0.0.1:{port}
auth:
  htpasswd: {{realm: trial, path: {folder}/users}}
"""


@dataclass(frozen=True, slots=True)
class LoopbackRegistry:
    """A running registry, and a file with credentials for it."""

    host: str
    auth_file: Path
    config: Path
    process: subprocess.Popen[bytes]

    @property
    def port(self) -> int:
        """The port of loopback that it listens on."""
        return int(self.host.rpartition(":")[2])

    def stop(self) -> None:
        """End the registry before its time."""
        self.process.terminate()
        self.process.wait(timeout=30)


def write_auth_file(path: Path, host: str, password: str = PASSWORD) -> Path:
    """Write credentials as `docker login` and `skopeo login` store them."""
    pair = base64.b64encode(f"{USER}:{password}".encode()).decode()
    path.write_text(json.dumps({"auths": {host: {"auth": pair}}}))
    return path


@contextmanager
def open_registry(folder: Path) -> Iterator[LoopbackRegistry]:
    """Run a registry that keeps its images in a folder."""
    ensure_packages(**PACKAGES)
    port = reserve_port()
    host = f"127.0.0.1:{port}"
    (folder / "users").write_text(f"{USER}:{HASH}\n")
    config = folder / "config.yml"
    config.write_text(CONFIG.format(folder=folder, port=port))
    auth_file = write_auth_file(folder / "auth.json", host)
    with (folder / "log").open("w") as log:
        process = subprocess.Popen([*SERVE, str(config)], stdout=log, stderr=log)
    registry = LoopbackRegistry(host, auth_file, config, process)
    try:
        asyncio.run(wait_until(lambda: is_listening(port)))
        yield registry
    finally:
        registry.stop()
