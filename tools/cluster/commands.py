"""Runs short commands and turns their failures into sentences."""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from pathlib import Path

from tools.cluster.errors import MissingPart, StepFailed

SHORT_SECONDS = 120.0
# Puts a command into process and mount namespaces of its own that end with this very
# program, however it ends: no process and no mount stays.
CONTAINED = (
    *("setpriv", "--pdeathsig", "KILL"),
    *("unshare", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc", "--"),
)


def run(
    argv: Sequence[str | Path],
    *,
    stdin: str | None = None,
    timeout_seconds: float = SHORT_SECONDS,
) -> str:
    """Run a command and return what it printed.

    Raises:
        StepFailed: it ended with an error or not in time.
        MissingPart: the program is not installed.
    """
    words = [str(word) for word in argv]
    try:
        done = subprocess.run(
            words,
            input=stdin,
            capture_output=True,
            text=True,
            timeout=timeout_seconds,
            check=False,
        )
    except FileNotFoundError as error:
        raise MissingPart(f"The program {words[0]} is not installed") from error
    except subprocess.TimeoutExpired as error:
        raise StepFailed(
            " ".join(words), f"no end after {timeout_seconds:.0f} s"
        ) from error
    if done.returncode:
        why = (done.stderr.strip() or done.stdout.strip()).splitlines()
        raise StepFailed(" ".join(words), why[-1] if why else f"exit {done.returncode}")
    return done.stdout


def succeeds(argv: Sequence[str | Path], timeout_seconds: float = 30.0) -> bool:
    """Tell whether a command works, its output ignored."""
    try:
        run(argv, timeout_seconds=timeout_seconds)
    except (StepFailed, MissingPart):
        return False
    return True
