"""Chooses who makes clusters: the real kind where it works, this package elsewhere.

A Docker that answers is not yet a kind that works: kind's nodes are privileged, and
some machines refuse those. So it is tried, and what came out is remembered until
Docker or kind come or go.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from tools.cluster.commands import succeeds
from tools.cluster.errors import BadInput
from tools.cluster.places import cache_dir, made

OVERRIDE = "MCPHUB_CLUSTER_PROVIDER"
DEFAULT_SOCKET = "/var/run/docker.sock"
PROBE_IMAGE = "mcphub-probe:1"
PROBE_SECONDS = 60
# What a container runtime says of a program that is not in the image.
NOT_IN_IMAGE = ("no such file or directory", "executable file not found")
REAL, OWN = "kind", "own"


@dataclass(frozen=True, slots=True)
class Choice:
    """Who makes clusters here, and why."""

    provider: str
    reason: str

    @property
    def is_real(self) -> bool:
        """Tell whether the real kind is used."""
        return self.provider == REAL


@dataclass(frozen=True, slots=True)
class Environment:
    """The facts that determine the choice; the choice is cached with them."""

    kind: str
    docker: str
    host: str
    socket: str


def find_real_kind() -> str:
    """Return the path of a kind that is not this project's own; empty for none."""
    ours = (Path(__file__).parent / "kind").resolve()
    for folder in os.environ.get("PATH", "").split(os.pathsep):
        path = Path(folder) / "kind"
        if os.access(path, os.X_OK) and path.resolve() != ours:
            return str(path)
    return ""


def find_environment(environ: Mapping[str, str] = os.environ) -> Environment:
    """Return what the choice depends on."""
    host = environ.get("DOCKER_HOST", "")
    path = Path(host.removeprefix("unix://") or DEFAULT_SOCKET)
    try:
        stat = path.stat()
        socket = f"{stat.st_ino}:{stat.st_ctime_ns}"
    except OSError:
        socket = ""
    return Environment(find_real_kind(), shutil.which("docker") or "", host, socket)


def decide(around: Environment, *, answers: bool, runs_privileged: bool) -> Choice:
    """Return the choice that follows from what was tried."""
    if not around.docker:
        return Choice(OWN, "no docker program is installed")
    if not answers:
        return Choice(OWN, "Docker does not answer")
    if not around.kind:
        return Choice(OWN, "Docker answers, but no kind program is installed")
    if not runs_privileged:
        return Choice(OWN, "Docker refuses privileged containers, which kind needs")
    return Choice(REAL, "Docker answers and runs privileged containers")


def runs_privileged() -> bool:
    """Try a privileged container, without needing any image from a registry.

    An empty image has no program to run: a runtime that says so got as far as running
    it, with every privilege granted; one that refuses says something else.
    """
    make = f"tar --create --files-from /dev/null | docker import - {PROBE_IMAGE}"
    if not succeeds(["sh", "-c", make]):
        return False
    words = ["docker", "run", "--rm", "--privileged", PROBE_IMAGE, "/nothing"]
    try:
        done = subprocess.run(
            words, capture_output=True, text=True, timeout=PROBE_SECONDS, check=False
        )
    except subprocess.TimeoutExpired:
        return False
    return any(sign in done.stderr for sign in NOT_IN_IMAGE)


def _try(around: Environment) -> Choice:
    answers = bool(around.docker) and succeeds(["docker", "info"])
    may = answers and bool(around.kind) and runs_privileged()
    return decide(around, answers=answers, runs_privileged=may)


def _overridden(environ: Mapping[str, str]) -> Choice | None:
    value = environ.get(OVERRIDE, "")
    if value not in {"", REAL, OWN}:
        raise BadInput(f"{OVERRIDE} must be {REAL!r} or {OWN!r}, not {value!r}")
    return Choice(value, f"{OVERRIDE} says so") if value else None


def choose(environ: Mapping[str, str] = os.environ) -> Choice:
    """Return who makes clusters on this machine."""
    overridden = _overridden(environ)
    if overridden:
        return overridden
    around = find_environment(environ)
    path = cache_dir(environ) / "provider.json"
    key = asdict(around)
    try:
        known = json.loads(path.read_text())
        if known["surroundings"] == key:
            return Choice(known["provider"], known["reason"])
    except (OSError, ValueError, KeyError):
        pass  # never tried, or by another version
    choice = _try(around)
    made(path.parent)
    path.write_text(json.dumps({"surroundings": key, **asdict(choice)}))
    return choice
