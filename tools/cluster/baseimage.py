"""The base image of a machine without a registry: Debian's Python, tagged as Docker's.

The project's Dockerfiles say `FROM python:3.13-slim`; debootstrap of Debian trixie,
whose Python is 3.13, stands in for it under the same name, so they build unchanged.
It differs in that Python is /usr/bin/python3 and that pip is only in virtual
environments.
"""

from __future__ import annotations

import hashlib
import shutil
from pathlib import Path

from tools.cluster import machine
from tools.cluster.archive import ImageArchive, read_archive, write_rootfs_archive
from tools.cluster.commands import CONTAINED
from tools.cluster.places import cache_dir, drop_old, exclusive, log_dir, made
from tools.cluster.progress import run_logged, step
from tools.cluster.registries import APT, fetching

BASE_NAME = "docker.io/library/python:3.13-slim"
SUITE = "trixie"
PACKAGES = "python3,python3-venv,python-is-python3,ca-certificates"
# What an image needs no copy of: half of its size.
TRIMMED = (
    "usr/share/doc",
    "usr/share/man",
    "usr/share/info",
    "usr/share/locale",
    "usr/share/zoneinfo/right",
    "var/cache/apt/archives",
    "var/cache/apt/pkgcache.bin",
    "var/cache/apt/srcpkgcache.bin",
    "var/cache/debconf/templates.dat-old",
    "var/lib/apt/lists",
    "var/log",
)
DPKG_EXCLUDES = """path-exclude /usr/share/doc/*
path-include /usr/share/doc/*/copyright
path-exclude /usr/share/man/*
path-exclude /usr/share/info/*
path-exclude /usr/share/locale/*
"""
NO_RECOMMENDS = 'APT::Install-Recommends "false";\n'


def recipe_key() -> str:
    """Return a name for the way the base image is made."""
    words = [SUITE, PACKAGES, *TRIMMED, DPKG_EXCLUDES, NO_RECOMMENDS, BASE_NAME]
    return hashlib.sha256("\n".join(words).encode()).hexdigest()[:12]


def _archive_path() -> Path:
    return cache_dir() / "base" / f"python-3.13-slim-{recipe_key()}.tar"


def find_base_archive() -> ImageArchive | None:
    """Return the base image, if it was made before."""
    path = _archive_path()
    return read_archive(path) if path.exists() else None


def _trim(root: Path) -> None:
    for name in TRIMMED:
        path = root / name
        if path.is_dir():
            shutil.rmtree(path)
            path.mkdir()
        else:
            path.unlink(missing_ok=True)
    (root / "etc/dpkg/dpkg.cfg.d/slim").write_text(DPKG_EXCLUDES)
    (root / "etc/apt/apt.conf.d/slim").write_text(NO_RECOMMENDS)


def _bootstrap(root: Path) -> None:
    words = ["debootstrap", "--variant=minbase", f"--include={PACKAGES}", SUITE]
    with fetching(f"Debian {SUITE}", APT):
        run_logged(
            f"Making the base image from Debian {SUITE} (about a minute, once)",
            [*CONTAINED, "nice", *words, root],
            log_dir() / "debootstrap.log",
        )


def ensure_base_archive() -> ImageArchive:
    """Return the base image, made first where it is missing."""
    path = _archive_path()
    if path.exists():
        return read_archive(path)
    machine.require_root()
    machine.install(machine.missing_packages(machine.FOR_IMAGES))
    with exclusive("base"):
        if not path.exists():
            root = made(path.parent) / "root.tmp"
            shutil.rmtree(root, ignore_errors=True)
            try:
                _bootstrap(root)
                with step("Packing the base image"):
                    _trim(root)
                    write_rootfs_archive(path, BASE_NAME, root)
            finally:
                shutil.rmtree(root, ignore_errors=True)
            drop_old(path.parent, keep=2)
    return read_archive(path)
