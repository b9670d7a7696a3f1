"""One API server with the definition for a whole test run, however many workers it has.

The first worker that needs it starts this module as a program, which keeps the server
until no worker uses it any more: each holds a shared lock on a file, and the program
waits for the exclusive one. The kernel drops the locks of a worker that is killed.
"""

import fcntl
import json
import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.support.definition import install_definitions
from tests.support.run_folder import locked
from tools.cluster.apiserver import ApiAccess, running_api_server
from tools.cluster.binaries import ensure_binaries
from tools.project import ROOT

STEP_SECONDS = 0.05


@dataclass(frozen=True, slots=True)
class _Files:
    """What the workers and the program share."""

    folder: Path

    @property
    def users(self) -> Path:
        """Return the file on which every user holds a lock."""
        return self.folder / "api-server.users"

    @property
    def starting(self) -> Path:
        """Return the file that whoever starts the program locks."""
        return self.folder / "api-server.starting"

    @property
    def access(self) -> Path:
        """Return the file that says where the server is; it is there once it runs."""
        return self.folder / "api-server.json"

    @property
    def log(self) -> Path:
        """Return the program's log."""
        return self.folder / "api-server.log"


@contextmanager
def shared_api_server(folder: Path) -> Iterator[ApiAccess]:
    """Use the API server of all who name this folder; start it if none has."""
    files = _Files(folder)
    with files.users.open("w") as users:
        fcntl.flock(users, fcntl.LOCK_SH)
        with locked(files.starting):
            if not files.access.exists():
                _start(files)
        url, kubeconfig = _read(files.access)
        yield ApiAccess(url, kubeconfig, ensure_binaries().part("kubectl"))


def _read(path: Path) -> tuple[str, Path]:
    found = json.loads(path.read_text())
    return found["url"], Path(found["kubeconfig"])


def _start(files: _Files) -> None:
    """Start the program, which outlives this process where another uses it."""
    ensure_binaries()  # here, so that a build shows its progress
    how = os.O_WRONLY | os.O_CREAT | os.O_TRUNC
    program = os.posix_spawn(
        sys.executable,
        [sys.executable, "-m", __name__, str(files.folder)],
        {**os.environ, "PYTHONPATH": str(ROOT)},
        file_actions=[
            (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
            (os.POSIX_SPAWN_OPEN, 1, str(files.log), how, 0o600),
            (os.POSIX_SPAWN_DUP2, 1, 2),
        ],
        setsid=True,
    )
    while not files.access.exists():
        ended, _ = os.waitpid(program, os.WNOHANG)
        if ended:
            raise RuntimeError(f"no API server: {files.log.read_text()[-2000:]}")
        time.sleep(STEP_SECONDS)


def serve(folder: Path) -> None:
    """Run the server until no worker uses it."""
    files = _Files(folder)
    with running_api_server(prepare=install_definitions) as server:
        fresh = files.access.with_suffix(".tmp")
        fresh.write_text(
            json.dumps({"url": server.url, "kubeconfig": str(server.kubeconfig)})
        )
        fresh.rename(files.access)
        with files.users.open("w") as users:
            fcntl.flock(users, fcntl.LOCK_EX)
            files.access.unlink()


if __name__ == "__main__":
    # The server's programs end with the thread that starts them: this one.
    os.umask(0o077)
    serve(Path(sys.argv[1]))
