"""Reads and writes images as docker archives: tar files that every tool accepts.

Written by hand for images of one layer that hold a static binary and nothing else:
no builder is needed for those.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import tarfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tools.cluster.commands import run
from tools.cluster.errors import BadInput

ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64"}
SYSTEM_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


@dataclass(frozen=True, slots=True)
class ImageArchive:
    """One image in a file: where, its names, and its id (the digest of its config)."""

    path: Path
    names: tuple[str, ...]
    image_id: str


def _member(name: str, size: int, mode: int = 0o644) -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.size, info.mode = size, mode
    return info


def _write_layer(
    path: Path, files: Mapping[str, Path], links: Mapping[str, str]
) -> None:
    with tarfile.open(path, "w") as layer:
        for name, source in files.items():
            with source.open("rb") as file:
                layer.addfile(_member(name, source.stat().st_size, 0o755), file)
        for name, target in links.items():
            info = _member(name, 0, 0o777)
            info.type, info.linkname = tarfile.SYMTYPE, target
            layer.addfile(info)


def image_config(layer_digest: str, settings: Mapping[str, Any]) -> bytes:
    """Return the configuration of an image of one layer."""
    config: dict[str, Any] = {
        "architecture": ARCHITECTURES.get(os.uname().machine, os.uname().machine),
        "os": "linux",
        "config": dict(settings),
        "rootfs": {"type": "layers", "diff_ids": [f"sha256:{layer_digest}"]},
        "history": [{"created_by": "mcphub test cluster"}],
    }
    return json.dumps(config, sort_keys=True).encode()


def _write_image(
    path: Path, name: str, layer: Path, settings: Mapping[str, Any]
) -> None:
    """Write the archive of an image of one layer, in one step; eat the layer's file."""
    with layer.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    config = image_config(digest, settings)
    config_name = f"{hashlib.sha256(config).hexdigest()}.json"
    layer_name = f"{digest}.tar"
    manifest = [{"Config": config_name, "RepoTags": [name], "Layers": [layer_name]}]
    fresh = path.with_name(f"{path.name}.{os.getpid()}.tmp")
    with tarfile.open(fresh, "w") as archive:
        for entry, data in (
            (config_name, config),
            ("manifest.json", json.dumps(manifest).encode()),
        ):
            archive.addfile(_member(entry, len(data)), io.BytesIO(data))
        archive.add(layer, layer_name)
    layer.unlink()
    fresh.replace(path)


def write_program_archive(
    path: Path, name: str, program: Path, links: Sequence[str]
) -> None:
    """Write an image that holds one program and links to it, from scratch."""
    layer = path.with_name(f"{path.name}.{os.getpid()}.layer")
    _write_layer(layer, {program.name: program}, dict.fromkeys(links, program.name))
    entrypoint = f"/{links[0] if links else program.name}"
    _write_image(path, name, layer, {"Entrypoint": [entrypoint]})


def write_rootfs_archive(path: Path, name: str, root: Path) -> None:
    """Write an image that holds a folder as its whole file system."""
    layer = path.with_name(f"{path.name}.{os.getpid()}.layer")
    owners = ["--numeric-owner", "--xattrs", "--sort=name"]
    run(["tar", "--create", *owners, "--file", layer, "--directory", root, "."])
    settings = {"Cmd": ["python3"], "Env": [f"PATH={SYSTEM_PATH}", "LANG=C.UTF-8"]}
    _write_image(path, name, layer, settings)


def read_archive(path: Path) -> ImageArchive:
    """Return what an archive says about itself.

    Raises:
        BadInput: it is not a docker archive with exactly one image.
    """
    try:
        with tarfile.open(path) as archive:
            member = archive.extractfile("manifest.json")
            images = json.load(member) if member else []
    except (OSError, tarfile.TarError, KeyError, ValueError) as error:
        raise BadInput(f"{path} is not a docker archive of an image") from error
    if len(images) != 1:
        raise BadInput(f"{path} holds {len(images)} images; save one to a file")
    config = Path(images[0]["Config"]).name.removesuffix(".json")
    return ImageArchive(path, tuple(images[0].get("RepoTags") or ()), config)
