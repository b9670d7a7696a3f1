"""`kubectl mcphub` as docs/cli.md installs it: with pipx, from the built wheel."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tools.programs.install import ensure_python
from tools.project import ROOT

SECONDS = 1500
"""It fetches what the program needs, while other builds take the processors."""


def run(command: list[str], **variables: str) -> str:
    """Return what a command prints; it must succeed."""
    done = subprocess.run(
        command,
        capture_output=True,
        text=True,
        env={**os.environ, **variables},
        timeout=SECONDS,
        check=False,
    )
    assert done.returncode == 0, done.stderr + done.stdout
    return done.stdout


def build_wheel(folder: Path) -> Path:
    """Build what `make wheel` builds."""
    words = ["--no-deps", "--wheel-dir", str(folder), str(ROOT)]
    run([sys.executable, "-m", "pip", "wheel", "--quiet", *words])
    (built,) = folder.glob("mcphub-*.whl")
    return built


@contextmanager
def installed_plugin(folder: Path) -> Iterator[Path]:
    """Yield the folder with the programs, until they are uninstalled.

    The folders of pipx are its own; a user's are left alone.
    """
    wheel = build_wheel(folder)
    programs = folder / "bin"
    variables = {"PIPX_HOME": str(folder / "home"), "PIPX_BIN_DIR": str(programs)}
    pipx = [str(ensure_python("pipx")), "-m", "pipx"]
    run([*pipx, "install", f"{wheel}[cli]"], **variables)
    yield programs
    run([*pipx, "uninstall", "mcphub"], **variables)
    assert {*programs.iterdir()} == set()
