"""Says what a long step does, that it is still alive, and how long it took.

Everything goes to standard error, as kind does it, so that standard output stays for
what a program may read.
"""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from tools.cluster.errors import StepFailed

HEARTBEAT_SECONDS = 15.0


def say(line: str) -> None:
    """Print one line for people."""
    print(line, file=sys.stderr, flush=True)


def last_line(log: Path | None) -> str:
    """Return the last line of a log that is not empty."""
    if log is None or not log.exists():
        return ""
    with log.open("rb") as file:
        file.seek(max(0, log.stat().st_size - 2000))
        lines = file.read().decode(errors="replace").splitlines()
    return next((line.strip() for line in reversed(lines) if line.strip()), "")


def _beat(title: str, log: Path | None, done: threading.Event) -> None:
    start = time.monotonic()
    while not done.wait(HEARTBEAT_SECONDS):
        seconds = time.monotonic() - start
        say(f"   … {title}: {seconds:.0f} s so far. {last_line(log)[:120]}")


@contextmanager
def step(title: str, log: Path | None = None) -> Iterator[None]:
    """Announce a step, beat while it runs, and tell how long it took."""
    say(f" • {title} …")
    start, done = time.monotonic(), threading.Event()
    heart = threading.Thread(target=_beat, args=(title, log, done), daemon=True)
    heart.start()
    try:
        yield
    except BaseException:
        say(f" ✗ {title} ({time.monotonic() - start:.1f} s)")
        raise
    finally:
        done.set()
    say(f" ✓ {title} ({time.monotonic() - start:.1f} s)")


def run_logged(
    title: str,
    argv: Sequence[str | Path],
    log: Path,
    *,
    cwd: Path | None = None,
    env: Mapping[str, str] | None = None,
) -> None:
    """Run a long command as one step, its output in the log.

    Raises:
        StepFailed: the command ended with an error; names the log.
    """
    with step(title, log), log.open("w") as file:
        file.write(f"$ {' '.join(map(str, argv))}\n")
        file.flush()
        done = subprocess.run(
            [str(word) for word in argv],
            stdin=subprocess.DEVNULL,
            stdout=file,
            stderr=subprocess.STDOUT,
            cwd=cwd,
            env=env,
            check=False,
        )
        if done.returncode:
            raise StepFailed(title, last_line(log) or f"exit {done.returncode}", log)
