"""A process that has loaded the server and forks replicas from it."""

import asyncio
import json
import os
import queue
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import IO, Any

from tools.project import ROOT

START_SECONDS = 60


class ForkServer:
    """Forks replicas and learns how they end."""

    def __init__(self, requests: IO[str], reports: IO[str]) -> None:
        self.codes: dict[int, int] = {}
        self._requests = requests
        self._reports = reports
        self._started: queue.Queue[int] = queue.Queue()

    def listen(self) -> None:
        """Record starts and exit codes until the process ends."""
        for line in self._reports:
            pid, *code = map(int, line.split())
            if code:
                self.codes[pid] = code[0]
            else:
                self._started.put(pid)

    async def fork(self, settings: Mapping[str, Any]) -> int:
        """Start a replica; returns its process id."""
        self._requests.write(json.dumps(settings) + "\n")
        self._requests.flush()
        return await asyncio.to_thread(self._started.get, timeout=START_SECONDS)


@contextmanager
def open_fork_server() -> Iterator[ForkServer]:
    """Run one process that has loaded the server, for all tests."""
    with subprocess.Popen(
        [sys.executable, "-m", "tests.support.replicas.replica"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        fork_server = ForkServer(process.stdin, process.stdout)
        listening = threading.Thread(target=fork_server.listen)
        listening.start()
        yield fork_server
        process.stdin.close()
        listening.join()


@dataclass
class Replica:
    """A running replica."""

    address: str
    uid: str
    pid: int
    fork_server: ForkServer

    @property
    def is_running(self) -> bool:
        """Whether its process has not ended yet."""
        return self.pid not in self.fork_server.codes

    async def wait(self, seconds: float = 100) -> int:
        """Wait for the process to end; returns its exit code."""
        async with asyncio.timeout(seconds):
            while self.is_running:  # noqa: ASYNC110 -- a thread learns of it
                await asyncio.sleep(0.01)
        return self.fork_server.codes[self.pid]

    def kill(self) -> None:
        """End it as a node's failure does."""
        os.kill(self.pid, signal.SIGKILL)

    def terminate(self) -> None:
        """Tell it to stop, as a kubelet does."""
        os.kill(self.pid, signal.SIGTERM)

    async def stop(self) -> None:
        """End it if it has not ended yet."""
        if self.is_running:
            self.kill()
        await self.wait()
