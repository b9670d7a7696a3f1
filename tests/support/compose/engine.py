"""A Docker daemon of Debian's, for one test: unpacked into the cache, not installed.

The package would start a daemon that changes the machine's network. This one runs in
the namespaces of its caller; when it ends, only its images are left.
"""

import os
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.support.system_packages import ensure_packages
from tests.support.waiting import GUARD_SECONDS
from tools.cluster.archive import ImageArchive
from tools.cluster.images import BuildRequest, build_image
from tools.cluster.places import cache_dir, exclusive, made
from tools.project import ROOT

HERE = Path(__file__).parent
TRIAL = ROOT / "examples" / "trial" / "postgres"
REQUESTS = {
    "mcphub-server:dev": BuildRequest(
        "mcphub-server", ROOT / "Dockerfile.server", ROOT
    ),
    "mcphub-trial-postgres:dev": BuildRequest(
        "mcphub-trial-postgres", TRIAL / "Dockerfile", TRIAL
    ),
    "nginx:1.28": BuildRequest(
        "mcphub-test-nginx", HERE / "nginx" / "Dockerfile", HERE / "nginx"
    ),
    "prom/prometheus:v3.5.0": BuildRequest(
        "mcphub-test-prometheus",
        HERE / "prometheus" / "Dockerfile",
        HERE / "prometheus",
    ),
}
"""The images of compose.yml that can be had here, by the names there."""
SETTINGS = ("--iptables=false", "--ip6tables=false", "--ip-masq=false")
"""Containers reach each other and the caller, and nothing else."""


def unpack_docker() -> Path:
    """Return the root of Debian's package, fetched and unpacked if it is missing."""
    ensure_packages(containerd="containerd", runc="runc")
    folder = cache_dir() / "docker"
    with exclusive("docker"):
        if not (folder / "usr").exists():
            made(folder)
            run("apt-get", "-qq", "download", "docker.io", cwd=folder)
            (package,) = folder.glob("docker.io_*.deb")
            run("dpkg", "-x", package, folder)
            package.unlink()
    return folder


def build_images() -> dict[str, ImageArchive]:
    """Return the archives of the images, by their names in compose.yml."""
    return {name: build_image(request) for name, request in REQUESTS.items()}


def run(
    *command: str | Path,
    cwd: Path | None = None,
    environment: Mapping[str, str] | None = None,
) -> str:
    """Run a program to its end, and return what it prints.

    Raises:
        RuntimeError: it failed; says with which words.
    """
    done = subprocess.run(
        command, cwd=cwd, env=environment, capture_output=True, text=True, check=False
    )
    if done.returncode:
        words = " ".join(map(str, command))
        raise RuntimeError(f"{words}: {done.stderr[-2000:]}")
    return done.stdout


@dataclass(frozen=True, slots=True)
class Docker:
    """A running daemon, and its client."""

    environment: Mapping[str, str]

    def run(self, *words: str | Path) -> str:
        """Run a command of the client's."""
        return run("docker", *words, environment=self.environment)

    def load(self, name: str, archive: ImageArchive) -> None:
        """Give it an image under a name, unless it has it."""
        known = self.run("images", "--no-trunc", "--quiet").split()
        if f"sha256:{archive.image_id}" not in known:
            self.run("load", "--quiet", "--input", archive.path)
        self.run("tag", archive.image_id, name)


@contextmanager
def running_docker(root: Path, folder: Path) -> Iterator[Docker]:
    """Run the daemon until the block ends.

    Args:
        root: where the package was unpacked.
        folder: for sockets and the log, on a file system in memory.
    """
    programs = ":".join(map(str, (root / "usr/sbin", root / "usr/bin")))
    environment = {
        **os.environ,
        "PATH": f"{programs}:{os.environ['PATH']}",
        "DOCKER_HOST": f"unix://{folder}/docker.sock",
    }
    places = (
        f"--data-root={cache_dir() / 'docker' / 'data'}",
        f"--exec-root={folder}/exec",
        f"--pidfile={folder}/docker.pid",
        f"--host=unix://{folder}/docker.sock",
    )
    with (folder / "dockerd.log").open("wb") as log:
        process = subprocess.Popen(
            [root / "usr/sbin/dockerd", *places, *SETTINGS],
            stdout=log,
            stderr=log,
            env=environment,
        )
    try:
        yield Docker(environment)
    finally:
        process.terminate()
        process.wait(GUARD_SECONDS)
