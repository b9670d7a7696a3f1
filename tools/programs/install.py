"""Installs a Python program into an environment of its own, once for each set of pins.

Each folder beside this file with a requirements.txt is such a program: its dependencies
would contradict those of the project.
"""

from __future__ import annotations

import hashlib
import platform
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path

from tools.cluster.errors import BadInput, ClusterError
from tools.cluster.places import cache_dir, drop_old, exclusive, log_dir, made
from tools.cluster.progress import run_logged, say
from tools.cluster.registries import PYPI, fetching

HERE = Path(__file__).parent
KEPT_VERSIONS = 2


def find_requirements(name: str) -> Path:
    """Return the pins of a program.

    Raises:
        BadInput: the project pins no program of that name.
    """
    path = HERE / name / "requirements.txt"
    if not path.is_file():
        names = sorted(p.parent.name for p in HERE.glob("*/requirements.txt"))
        raise BadInput(f"no program {name!r} is pinned here; there are {names}")
    return path


def environment_path(name: str) -> Path:
    """Return where the program's environment is, or will be."""
    pins = find_requirements(name).read_bytes()
    key = hashlib.sha256(platform.python_version().encode() + pins).hexdigest()[:12]
    return cache_dir() / "programs" / name / key


def ensure_python(name: str) -> Path:
    """Return the Python that has the program, installed where it is missing."""
    target = environment_path(name)
    if not target.exists():
        with exclusive(f"program-{name}"):
            if not target.exists():
                _install(name, target)
                drop_old(target.parent, keep=KEPT_VERSIONS)
    return target / "bin" / "python"


def _install(name: str, target: Path) -> None:
    fresh = made(target.parent) / f"{target.name}.tmp"
    shutil.rmtree(fresh, ignore_errors=True)
    log = log_dir() / f"install-{name}.log"
    venv: list[str | Path] = [sys.executable, "-m", "venv", fresh]
    run_logged(f"Making an environment for {name}", venv, log)
    words: list[str | Path] = [fresh / "bin" / "python", "-m", "pip", "install"]
    with fetching(f"the packages of {name}", PYPI):
        run_logged(
            f"Installing {name} from PyPI (once)",
            [*words, "--disable-pip-version-check", "-r", find_requirements(name)],
            log,
        )
    # Its commands name the folder in which they were made; Python itself does not.
    fresh.rename(target)


def main(names: Sequence[str]) -> int:
    """Install the named programs and print the Python of each."""
    try:
        for name in names:
            print(ensure_python(name))
    except ClusterError as error:
        say(f"ERROR: {error}")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
