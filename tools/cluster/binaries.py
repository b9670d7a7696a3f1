"""Builds the one binary that is all of Kubernetes, once for each version of its source.

Go's own build cache makes an interrupted build go on where it stopped; what is
finished is moved into place in one step.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from tools.cluster.errors import BadInput
from tools.cluster.golang import find_go
from tools.cluster.places import (
    BINARY_SOURCE,
    cache_dir,
    drop_old,
    exclusive,
    log_dir,
    made,
)
from tools.cluster.progress import run_logged, say
from tools.cluster.registries import GO, fetching

PROGRAMS = ("main.go", "pause/main.go")
# Chooses another version of Kubernetes among those in binary/versions.
VERSION_VARIABLE = "MCPHUB_KUBERNETES"
PARTS = (
    "coredns",
    "etcd",
    "kube-apiserver",
    "kube-controller-manager",
    "kube-proxy",
    "kube-scheduler",
    "kubectl",
    "kubelet",
    "metrics-server",
)
VERSION_PACKAGE = "k8s.io/component-base/version"
# More than binary/versions has: to try another version must not remove the usual one.
KEPT_VERSIONS = 6
BUILD_BYTES = 6 * 1024**3


@dataclass(frozen=True, slots=True)
class Binaries:
    """The folder that holds `kubernetes`, `pause` and a link for each part."""

    folder: Path

    def part(self, name: str) -> Path:
        """Return the program of that name."""
        return self.folder / name


def kubernetes_version(module: str) -> str:
    """Return the version of Kubernetes that a go.mod requires."""
    found = re.search(r"^\s*k8s\.io/kubernetes (v\S+)$", module, re.MULTILINE)
    return found.group(1) if found else "unknown"


def version_flags(version: str) -> str:
    """Return the linker flags without which Kubernetes calls itself v0.0.0."""
    major, minor = version.lstrip("v").split(".")[:2]
    values = {"gitVersion": version, "gitMajor": major, "gitMinor": minor}
    sets = (f"-X {VERSION_PACKAGE}.{key}={value}" for key, value in values.items())
    return " ".join(("-s -w", *sets))


def find_module(environ: Mapping[str, str] = os.environ) -> Path:
    """Return the go.mod of the version that is asked for, or of the usual one.

    Raises:
        BadInput: the project has none for it.
    """
    usual = BINARY_SOURCE / "go.mod"
    wanted = environ.get(VERSION_VARIABLE, "").removeprefix("v")
    found = {
        kubernetes_version(path.read_text()).removeprefix("v"): path
        for path in (*sorted(BINARY_SOURCE.glob("versions/*.mod")), usual)
    }
    if wanted and wanted not in found:
        raise BadInput(
            f"Kubernetes {wanted} cannot be built here; there are {', '.join(found)}"
        )
    return found[wanted] if wanted else usual


def source_key(module: Path) -> str:
    """Return a name for the state of the sources."""
    digest = hashlib.sha256()
    programs = (BINARY_SOURCE / program for program in PROGRAMS)
    for source in (*programs, module, module.with_suffix(".sum")):
        digest.update(source.read_bytes())
    return digest.hexdigest()[:12]


def binaries_folder() -> Path:
    """Return where the binaries of these sources are, or will be."""
    module = find_module()
    version = kubernetes_version(module.read_text())
    return cache_dir() / "binaries" / f"{version}-{source_key(module)}"


def _go_environment() -> dict[str, str]:
    return os.environ | {
        "CGO_ENABLED": "0",
        "GOFLAGS": "-mod=readonly",
        "GOTOOLCHAIN": "local",
        "GOWORK": "off",
    }


def _build_into(folder: Path) -> None:
    module = find_module()
    version = kubernetes_version(module.read_text())
    with fetching(f"the modules of Kubernetes {version}", GO):
        _build_programs(module, version, folder)
    for part in PARTS:
        (folder / part).symlink_to("kubernetes")


def _build_programs(module: Path, version: str, folder: Path) -> None:
    flags = version_flags(version)
    go = find_go(module.read_text())
    nice: list[str | Path] = ["nice", go, "build", "-trimpath", f"-modfile={module}"]
    run_logged(
        f"Building Kubernetes {version} from its Go modules"
        " (about 5 minutes on two cores, once)",
        [*nice, "-v", "-ldflags", flags, "-o", folder / "kubernetes", "."],
        log_dir() / "build-kubernetes.log",
        cwd=BINARY_SOURCE,
        env=_go_environment(),
    )
    run_logged(
        "Building the pause program",
        [*nice, "-ldflags", "-s -w", "-o", folder / "pause", "./pause"],
        log_dir() / "build-pause.log",
        cwd=BINARY_SOURCE,
        env=_go_environment(),
    )


def ensure_binaries() -> Binaries:
    """Return the binaries, built first where they are missing."""
    folder = binaries_folder()
    if folder.exists():
        return Binaries(folder)
    with exclusive("binaries"):
        if not folder.exists():
            _warn_of_little_space()
            fresh = folder.with_name(f"{folder.name}.tmp")
            shutil.rmtree(fresh, ignore_errors=True)
            _build_into(made(fresh))
            fresh.rename(folder)
            drop_old(folder.parent, keep=KEPT_VERSIONS)
    return Binaries(folder)


def _warn_of_little_space() -> None:
    free = shutil.disk_usage(made(cache_dir())).free
    if free < BUILD_BYTES:
        say(
            f" ! Only {free / 1024**3:.1f} GiB are free in {cache_dir()}; the build"
            " wants about 6: make room, or point XDG_CACHE_HOME at a larger disk"
        )
