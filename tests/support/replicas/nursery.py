"""The process that forks replicas, and the replicas that it has forked."""

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

BIRTH_SECONDS = 60


class Nursery:
    """Forks replicas and learns how they end."""

    def __init__(self, wishes: IO[str], news: IO[str]) -> None:
        self.codes: dict[int, int] = {}
        self._wishes = wishes
        self._news = news
        self._born: queue.Queue[int] = queue.Queue()

    def listen(self) -> None:
        """Take note of births and deaths until the nursery closes."""
        for line in self._news:
            pid, *code = map(int, line.split())
            if code:
                self.codes[pid] = code[0]
            else:
                self._born.put(pid)

    async def fork(self, settings: Mapping[str, Any]) -> int:
        """Start a replica; returns its process id."""
        self._wishes.write(json.dumps(settings) + "\n")
        self._wishes.flush()
        return await asyncio.to_thread(self._born.get, timeout=BIRTH_SECONDS)


@contextmanager
def open_nursery() -> Iterator[Nursery]:
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
        nursery = Nursery(process.stdin, process.stdout)
        listening = threading.Thread(target=nursery.listen)
        listening.start()
        yield nursery
        process.stdin.close()
        listening.join()


@dataclass
class Replica:
    """A running replica."""

    address: str
    uid: str
    pid: int
    nursery: Nursery

    @property
    def is_running(self) -> bool:
        """Whether its process has not ended yet."""
        return self.pid not in self.nursery.codes

    async def wait(self, seconds: float = 100) -> int:
        """Wait for the process to end; returns its exit code."""
        async with asyncio.timeout(seconds):
            while self.is_running:  # noqa: ASYNC110 -- a thread learns of it
                await asyncio.sleep(0.01)
        return self.nursery.codes[self.pid]

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
