"""Builds the project's images with docker, podman or buildah, whichever works here.

An image is built again only when what goes into it has changed: the Dockerfile, the
files of the context that .dockerignore lets through, the arguments, the base. The
result is an archive in the cache, which any cluster can load.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from tools.cluster.archive import ImageArchive, read_archive
from tools.cluster.builders import Builder, choose_builder
from tools.cluster.dockerignore import Ignored
from tools.cluster.errors import BadInput
from tools.cluster.places import cache_dir, drop_old, exclusive, made
from tools.cluster.progress import say

KEPT_ARCHIVES = 3


@dataclass(frozen=True, slots=True)
class BuildRequest:
    """What to build: a name, a Dockerfile, its context and arguments.

    Tagged by its content, an image that changed has a new name: what runs it is rolled
    out by naming it, and nothing else is.
    """

    name: str
    dockerfile: Path
    context: Path
    arguments: Mapping[str, str] = field(default_factory=dict)
    is_tagged_by_content: bool = False
    architecture: str = ""
    """Empty: this machine's."""
    timestamp: int | None = None
    """Seconds since 1970 that the image and its files carry; None: the time of now."""

    def __post_init__(self) -> None:
        """Refuse what is not there."""
        if not self.dockerfile.is_file():
            raise BadInput(f"no Dockerfile at {self.dockerfile}")
        if not self.context.is_dir():
            raise BadInput(f"no folder at {self.context} to build from")


def full_name(name: str) -> str:
    """Return a name as every engine and the kubelet write it out.

    `mcphub-server:dev` stands for `docker.io/library/mcphub-server:dev`.
    """
    first, slash, _ = name.partition("/")
    has_host = slash and ("." in first or ":" in first or first == "localhost")
    prefix = "" if has_host else "docker.io/" if slash else "docker.io/library/"
    tagged = name if re.search(r":[\w.-]+$", name) else f"{name}:latest"
    return f"{prefix}{tagged}"


def context_files(request: BuildRequest) -> Iterator[Path]:
    """Yield the files that the build can see, in a stable order."""
    beside = request.dockerfile.with_name(f"{request.dockerfile.name}.dockerignore")
    general = request.context / ".dockerignore"
    source = beside if beside.exists() else general
    ignored = Ignored.parse(source.read_text() if source.exists() else "")
    for folder, names, files in os.walk(request.context):
        here = Path(folder).relative_to(request.context)
        names[:] = sorted(n for n in names if not ignored.prunes(here / n))
        yield from (here / f for f in sorted(files) if not ignored.matches(here / f))


def copied_paths(dockerfile: str) -> list[str]:
    """Return what COPY and ADD take from the context: the rest cannot matter."""
    joined = re.sub(r"\\\n", " ", dockerfile)
    found: list[str] = []
    for line in re.findall(r"(?im)^\s*(?:COPY|ADD)\s+(.+)$", joined):
        words = line.split()
        flags = [word for word in words if word.startswith("--")]
        if not any(flag.startswith("--from=") for flag in flags):
            found += [word for word in words if not word.startswith("--")][:-1]
    return found


def _is_copied(path: Path, sources: list[str]) -> bool:
    def covers(source: str) -> bool:
        wanted = Path(source.removeprefix("/"))
        return path.is_relative_to(wanted) or path.match(str(wanted))

    return any(covers(source) for source in sources)


def content_key(request: BuildRequest, base: str) -> str:
    """Return the digest of everything that goes into an image."""
    text = request.dockerfile.read_text()
    digest = hashlib.sha256()
    arguments = json.dumps(dict(request.arguments), sort_keys=True)
    stamp = "" if request.timestamp is None else str(request.timestamp)
    for word in (base, text, arguments, request.architecture, stamp):
        digest.update(f"{len(word)}:{word}".encode())
    sources = copied_paths(text)
    for path in context_files(request):
        if not _is_copied(path, sources):
            continue
        file = request.context / path
        mode = file.lstat().st_mode & 0o777
        data = str(file.readlink()).encode() if file.is_symlink() else file.read_bytes()
        digest.update(f"{path}\0{mode:o}\0{len(data)}\0".encode() + data)
    return digest.hexdigest()[:16]


def _folder() -> Path:
    return made(cache_dir() / "images")


def _slug(name: str) -> str:
    return re.sub(r"[^a-z0-9.]+", "-", name)


def _archive_path(name: str, key: str) -> Path:
    """Return where an image is kept: by its repository, its tag and its content."""
    repository, _, tag = name.rpartition(":")
    return _folder() / _slug(repository) / f"{_slug(tag)}-{key}.tar"


def find_built(name: str) -> Path | None:
    """Return the newest archive of an image that was built here."""
    pattern = _archive_path(full_name(name), "*")
    found = pattern.parent.glob(pattern.name)
    return max(found, key=lambda path: path.stat().st_mtime, default=None)


def tell_size(archive: ImageArchive) -> None:
    """Print how large an image is."""
    mebibytes = archive.path.stat().st_size / 1024**2
    say(f"   {', '.join(archive.names)}: {mebibytes:.0f} MiB")


def build_image(request: BuildRequest, builder: Builder | None = None) -> ImageArchive:
    """Return the image's archive, built first unless an equal one is there."""
    builder = builder or choose_builder()
    key = content_key(request, builder.base_id())
    tag = f":{key}" if request.is_tagged_by_content else ""
    name = full_name(f"{request.name}{tag}")
    path = _archive_path(name, key)
    with exclusive(f"build-{_slug(request.name)}"):
        if path.exists():
            say(f" ✓ {name} is unchanged")
            path.touch()
        else:
            builder.build(request, name, made(path.parent) / path.name)
            drop_old(path.parent, keep=KEPT_ARCHIVES)
    archive = read_archive(path)
    tell_size(archive)
    return archive
