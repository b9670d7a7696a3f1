"""The programs that can build an image, and choosing one by trying.

Docker and podman pull the base from a registry. Buildah, alone on a machine without
one, builds on our own base image. It keeps its layers in the cache, apart from
whatever else uses buildah here.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from tools.cluster import machine
from tools.cluster.archive import ARCHITECTURES
from tools.cluster.baseimage import BASE_NAME, ensure_base_archive
from tools.cluster.commands import run, succeeds
from tools.cluster.errors import MissingPart, StepFailed
from tools.cluster.packageindex import read_only_mounts, write_pip_config
from tools.cluster.places import cache_dir, exclusive, log_dir, made
from tools.cluster.progress import run_logged, say, step
from tools.cluster.registries import APT, PYPI, fetching

PROXIES = ("http_proxy", "https_proxy", "no_proxy")


class Request(Protocol):
    """What a builder needs to know of a request."""

    @property
    def name(self) -> str:
        """Return the name as the caller wrote it."""

    @property
    def dockerfile(self) -> Path:
        """Return the Dockerfile."""

    @property
    def context(self) -> Path:
        """Return the folder that COPY takes from."""

    @property
    def arguments(self) -> Mapping[str, str]:
        """Return the values of ARGs."""

    @property
    def architecture(self) -> str:
        """Return the architecture in Go's words; empty: this machine's."""

    @property
    def timestamp(self) -> int | None:
        """Return the seconds since 1970 that the image carries; None: of now."""


class Builder(Protocol):
    """A program that turns a Dockerfile into an archive."""

    def base_id(self) -> str:
        """Return what the base is, as far as it can change under the same name."""

    def build(self, request: Request, name: str, target: Path) -> None:
        """Build an image and write it to the target, in one step."""


def _log(name: str) -> Path:
    return log_dir() / f"image-{name.replace('/', '-').replace(':', '-')}.log"


def _arguments(arguments: Mapping[str, str]) -> list[str]:
    pairs = [f"--build-arg={key}={value}" for key, value in arguments.items()]
    proxies = (
        name
        for lower in PROXIES
        for name in (lower, lower.upper())
        if name in os.environ
    )
    # Without a value the builder takes it from the environment; it is not baked in.
    return [*pairs, *(f"--build-arg={name}" for name in proxies)]


@dataclass(frozen=True, slots=True)
class EngineBuilder:
    """Docker or podman."""

    engine: str

    def base_id(self) -> str:
        """Return nothing: a registry's tag is what the Dockerfile says."""
        return self.engine

    def build(self, request: Request, name: str, target: Path) -> None:
        """Build and save an image."""
        files = ["--file", str(request.dockerfile), str(request.context)]
        words = [self.engine, "build", "--tag", name, *_arguments(request.arguments)]
        if request.architecture:
            words.append(f"--platform=linux/{request.architecture}")
        if request.timestamp is not None:
            words.append(self._dated(request.timestamp))
        log = _log(request.name)
        run_logged(f"Building {request.name} with {self.engine}", [*words, *files], log)
        fresh = target.with_name(f"{target.name}.tmp")
        run([self.engine, "save", "-o", fresh, name], timeout_seconds=600)
        fresh.replace(target)

    def _dated(self, seconds: int) -> str:
        """Return the option that sets a time; docker's leaves that of the files."""
        if self.engine == "podman":
            return f"--timestamp={seconds}"
        return f"--build-arg=SOURCE_DATE_EPOCH={seconds}"


@dataclass(frozen=True, slots=True)
class BuildahBuilder:
    """Buildah without a registry."""

    storage: Path
    driver: str

    def base_id(self) -> str:
        """Return the id of our own base image."""
        return ensure_base_archive().image_id

    def build(self, request: Request, name: str, target: Path) -> None:
        """Build and save an image on our base.

        Raises:
            MissingPart: it is for an architecture that our base does not have.
        """
        if request.architecture not in ("", ARCHITECTURES.get(os.uname().machine)):
            raise MissingPart(
                f"buildah has no base image for {request.architecture} here: build on"
                " a machine with docker or podman, which pull one"
            )
        self._ensure_base()
        with _pip_config() as config:
            self._bud(request, name, config)
            fresh = target.with_name(f"{target.name}.tmp")
            fresh.unlink(missing_ok=True)
            with step(f"Saving {request.name}"):
                archive = f"docker-archive:{fresh}:{name}"
                run([*self.command(), "push", name, archive], timeout_seconds=600)
            fresh.replace(target)
        self._drop_predecessors(name)

    def command(self) -> list[str]:
        """Return buildah with its storage."""
        folders = ["--root", str(self.storage), "--runroot", str(self.storage / "run")]
        return ["buildah", *folders, "--storage-driver", self.driver]

    def _drop_predecessors(self, name: str) -> None:
        """Remove what this image replaces; layers that it shares stay."""
        repository = name.rpartition(":")[0]
        shown = run([*self.command(), "images", "--format={{.Name}}:{{.Tag}}"])
        for other in shown.split():
            if other.rpartition(":")[0] == repository and other != name:
                succeeds([*self.command(), "rmi", other])

    def _ensure_base(self) -> None:
        base = ensure_base_archive()
        held = [*self.command(), "images", "--no-trunc", "--quiet", BASE_NAME]
        if succeeds(held) and base.image_id in run(held):
            return
        pull = ["pull", f"docker-archive:{base.path}"]
        with exclusive("buildah"), step("Giving the base image to buildah"):
            run([*self.command(), *pull], timeout_seconds=600)

    def _bud(self, request: Request, name: str, pip_config: Path) -> None:
        mounts = [f"--volume={m}" for m in read_only_mounts(pip_config)]
        words = [*self.command(), "bud", "--layers", "--isolation=chroot"]
        words.append("--pull-never")
        if request.timestamp is not None:
            words.append(f"--timestamp={request.timestamp}")
        files = [f"--tag={name}", f"--file={request.dockerfile}", str(request.context)]
        with fetching(f"the packages of {request.name}", PYPI, APT):
            run_logged(
                f"Building {request.name} with buildah",
                ["nice", *words, *mounts, *_arguments(request.arguments), *files],
                _log(request.name),
            )


@contextmanager
def _pip_config() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="mcphub-pip-") as folder:
        path = Path(folder) / "pip.conf"
        write_pip_config(path)
        yield path


def choose_builder() -> Builder:
    """Return the first builder that works here.

    Raises:
        MissingPart: none does; says what to install.
    """
    for engine in ("docker", "podman"):
        if succeeds([engine, "info"]):
            say(f" Images are built with {engine}: it answers")
            return EngineBuilder(engine)
    say(" Images are built with buildah: neither docker nor podman answers")
    return open_buildah()


def open_buildah() -> BuildahBuilder:
    """Return a buildah that shares layers where the file system lets it.

    Raises:
        MissingPart: the user is not root.
        StepFailed: buildah has no storage that works.
    """
    machine.require_root()
    machine.install(machine.missing_packages(machine.FOR_IMAGES))
    for driver in ("overlay", "vfs"):
        builder = BuildahBuilder(made(cache_dir() / "buildah" / driver), driver)
        if succeeds([*builder.command(), "info"]):
            return builder
    raise StepFailed("Choosing an image builder", "buildah has no storage that works")
