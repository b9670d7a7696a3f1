"""What the workers of one test run share: a folder, and work that one of them does."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest


def find_run_folder(factory: pytest.TempPathFactory) -> Path:
    """Return a folder that all workers of this run have in common, and no other run."""
    folder = factory.getbasetemp()
    return folder.parent if "PYTEST_XDIST_WORKER" in os.environ else folder


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Keep other workers out while the block lasts; a lock ends with its process."""
    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
