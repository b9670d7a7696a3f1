"""A release of small images in a registry on loopback, and what is seen of it there."""

import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.support.registry import LoopbackRegistry
from tools.cluster.archive import ImageArchive, read_archive, write_rootfs_archive
from tools.cluster.images import BuildRequest
from tools.release.checkout import Checkout
from tools.release.publish import Publication
from tools.release.version import Release

Build = Callable[[BuildRequest], ImageArchive]

CHECKOUT = Checkout("0123456789ab", "0123456789ab" + "0" * 28, 1_700_000_000, "")
DPKG_STATUS = """Package: libc6
Status: install ok installed
Architecture: amd64
Version: 2.41-12+deb13u4

Package: gone
Status: deinstall ok config-files
Architecture: amd64
Version: 1.0
"""
METADATA = """Metadata-Version: 2.4
Name: Small_Library
Version: 1.2
License-Expression: MIT OR Apache-2.0

A description.
"""


def write_files(root: Path) -> Path:
    """Write the files of an image, which tell it from others by its folder's name."""
    site = "opt/mcphub/lib/python3.13/site-packages/small_library-1.2.dist-info"
    files = {"var/lib/dpkg/status": DPKG_STATUS, f"{site}/METADATA": METADATA}
    for name, text in {**files, "name": root.name}.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    return root


def small_builder(folder: Path) -> Build:
    """Return what builds small images, of two packages and an architecture each.

    An image that is built again is the same.
    """

    def built(request: BuildRequest) -> ImageArchive:
        stem = f"{request.name.partition(':')[0]}-{request.architecture}"
        archive = folder / f"{stem}.tar"
        if not archive.exists():
            write_rootfs_archive(archive, request.name, write_files(folder / stem))
        return read_archive(archive)

    return built


def publication(registry: LoopbackRegistry, **changes: Any) -> Publication:
    release = Release(changes.pop("version", "1.2.3"), f"{registry.host}/team")
    return Publication(release, CHECKOUT, **changes)


def skopeo(*words: str) -> str:
    return subprocess.check_output(["skopeo", *words], text=True)


def tags(registry: LoopbackRegistry, name: str) -> set[str]:
    """List the tags of an image, without those that hold what refers to it."""
    reference = f"docker://{registry.host}/team/{name}"
    done = subprocess.run(
        ["skopeo", "list-tags", "--tls-verify=false", reference],
        capture_output=True,
        text=True,
        check=False,
    )
    listed = json.loads(done.stdout)["Tags"] if not done.returncode else []
    return {tag for tag in listed if not tag.startswith("sha256-")}


def manifest(registry: LoopbackRegistry, name: str) -> dict[str, Any]:
    reference = f"docker://{registry.host}/team/{name}"
    found: dict[str, Any] = json.loads(
        skopeo("inspect", "--raw", "--tls-verify=false", reference)
    )
    return found
