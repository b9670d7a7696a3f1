"""Servers as processes of their own: started, waited for, weighed, ended.

Linux counts what a process used in /proc; that is the only place where a server's
cost can be told from that of the client beside it.
"""

import os
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

START_SECONDS = 60.0
STOP_SECONDS = 15.0
POLL_SECONDS = 0.005
CPU_CLOCK = 2
"""The kind of clock; its id holds the process too (man clock_getcpuclockid)."""
CLOCK_TICKS = os.sysconf("SC_CLK_TCK")


def read_cpu_seconds(pid: int) -> float:
    """What all threads of a process have used so far."""
    stat = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8")
    user, system = stat.rpartition(")")[2].split()[11:13]
    return (int(user) + int(system)) / CLOCK_TICKS


@dataclass(frozen=True, slots=True)
class ServerProcess:
    """A running server."""

    process: subprocess.Popen[bytes]
    log: Path

    def read_cpu_seconds(self) -> float:
        """What all its threads have used so far."""
        return read_cpu_seconds(self.process.pid)

    def read_cpu_nanoseconds(self) -> int:
        """What all its threads have used so far, finer than by the clock's ticks."""
        return time.clock_gettime_ns(~self.process.pid << 3 | CPU_CLOCK)

    @property
    def rss_mebibytes(self) -> float:
        """What it holds in memory now."""
        status = Path(f"/proc/{self.process.pid}/status").read_text(encoding="utf-8")
        line = next(row for row in status.splitlines() if row.startswith("VmRSS"))
        return int(line.split()[1]) / 1024


@contextmanager
def running(
    argv: Sequence[str], log: Path, env: Mapping[str, str] | None = None
) -> Iterator[ServerProcess]:
    """Run a server for the length of the block, its output in a file."""
    with log.open("wb") as output:
        process = subprocess.Popen(
            argv, stdout=output, stderr=output, env={**os.environ, **(env or {})}
        )
    try:
        yield ServerProcess(process, log)
    finally:
        process.kill()
        process.wait(STOP_SECONDS)


def wait_until_ready(server: ServerProcess, url: str) -> None:
    """Return when the address answers with 200.

    Raises:
        RuntimeError: the server ended, or did not answer in time; carries its log.
    """
    deadline = time.monotonic() + START_SECONDS
    while not _answers(url):
        if server.process.poll() is not None or time.monotonic() > deadline:
            log = server.log.read_text(encoding="utf-8", errors="replace")
            raise RuntimeError(f"{url} did not become ready: {log[-3000:]}")
        time.sleep(POLL_SECONDS)


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=2) as response:
            return bool(response.status == 200)
    except urllib.error.HTTPError as error:
        # The bare SDK has no health page; that it answers at all is enough.
        return error.code in {404, 405, 406}
    except (OSError, urllib.error.URLError):
        return False
