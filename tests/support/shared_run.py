"""What the workers of one test run share: a few facts, and turns on the cluster.

pytest-xdist's workers are processes that know nothing of each other. A folder of the
run and file locks are enough: the kernel releases a lock when its holder dies.
"""

import fcntl
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest


@dataclass(frozen=True, slots=True)
class SharedRun:
    """The folder of one test run.

    Attributes:
        folder: The same for all workers of the run, and no other run's.
    """

    folder: Path

    @contextmanager
    def facts(self) -> Iterator[dict[str, Any]]:
        """Yield what the workers know, to be read and changed by one at a time.

        Changes are kept only if the block does not raise.
        """
        with locked(self.folder / "facts.lock", fcntl.LOCK_EX):
            file = self.folder / "facts.json"
            known = json.loads(file.read_text()) if file.exists() else {}
            yield known
            file.write_text(json.dumps(known))

    @contextmanager
    def turn(self, *, alone: bool) -> Iterator[None]:
        """Use the cluster beside others, or wait until it is free and use it alone."""
        kind = fcntl.LOCK_EX if alone else fcntl.LOCK_SH
        with locked(self.folder / "turn.lock", kind):
            yield


@contextmanager
def locked(file: Path, kind: int) -> Iterator[None]:
    """Hold a lock on a file, which is made if it is missing."""
    with file.open("w") as opened:
        fcntl.flock(opened, kind)
        yield


def find_shared_run(config: pytest.Config, basetemp: Path) -> SharedRun:
    """Return the run that a worker belongs to, or the process's own without xdist."""
    is_worker = hasattr(config, "workerinput")
    folder = (basetemp.parent if is_worker else basetemp) / "shared"
    folder.mkdir(exist_ok=True)
    return SharedRun(folder)
