"""Where things live on disk: nothing that is built or running is in the checkout.

Build products are expensive and shared: the cache. A cluster's files belong to its
processes: the state. Both follow the XDG base directory specification.
"""

from __future__ import annotations

import fcntl
import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from tools.cluster.errors import BadInput

BINARY_SOURCE = Path(__file__).parent / "binary"


def _xdg(variable: str, default: str, environ: Mapping[str, str]) -> Path:
    named = environ.get(variable, "")
    return Path(named) if Path(named).is_absolute() else Path.home() / default


def cache_dir(environ: Mapping[str, str] = os.environ) -> Path:
    """Return the folder of build products."""
    return _xdg("XDG_CACHE_HOME", ".cache", environ) / "mcphub"


def log_dir(environ: Mapping[str, str] = os.environ) -> Path:
    """Return the folder of build logs, made if missing."""
    return made(cache_dir(environ) / "logs")


def clusters_dir(environ: Mapping[str, str] = os.environ) -> Path:
    """Return the folder that holds one folder for each cluster."""
    return _xdg("XDG_STATE_HOME", ".local/state", environ) / "mcphub" / "clusters"


def made(folder: Path) -> Path:
    """Return the folder, made if missing."""
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def drop_old(folder: Path, *, keep: int) -> None:
    """Remove all but the newest products in a folder."""
    newest = sorted(folder.iterdir(), key=lambda path: path.stat().st_mtime)
    for path in newest[:-keep]:
        if path.is_dir():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)


@contextmanager
def exclusive(name: str, busy: str = "") -> Iterator[None]:
    """Keep two processes from doing the same work at once.

    Waits for the other one; where `busy` is given, fails at once with that sentence.
    """
    path = made(cache_dir() / "locks") / name
    with path.open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | (fcntl.LOCK_NB if busy else 0))
        except BlockingIOError as error:
            raise BadInput(busy) from error
        yield
