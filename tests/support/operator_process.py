"""The operator as a process of its own before a test's API server."""

import asyncio
import contextlib
import json
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp

from tests.support.running_operator import World
from tools.ports import reserve_port


class Process:
    """An operator as a process of its own."""

    def __init__(self, process: asyncio.subprocess.Process, log: Path, port: int):
        self.process = process
        self.log = log
        self.port = port

    def lines(self) -> list[dict[str, Any]]:
        text = self.log.read_text()
        return [json.loads(line) for line in text.splitlines() if line.startswith("{")]

    def has_logged(self, event: str) -> bool:
        return any(line["event"] == event for line in self.lines())

    async def get(self, path: str) -> tuple[int, str]:
        url = f"http://127.0.0.1:{self.port}{path}"
        async with aiohttp.ClientSession() as session, session.get(url) as answer:
            return answer.status, await answer.text()

    def resident_bytes(self) -> int:
        """The memory that it has now, as the kernel counts it."""
        text = Path(f"/proc/{self.process.pid}/status").read_text()
        (line,) = (x for x in text.splitlines() if x.startswith("VmRSS"))
        return int(line.split()[1]) * 1024

    async def end(self, with_signal: signal.Signals = signal.SIGTERM) -> int:
        with contextlib.suppress(ProcessLookupError):
            self.process.send_signal(with_signal)
        return await self.process.wait()


@asynccontextmanager
async def operator_process(
    world: World, folder: Path, name: str, *flags: str
) -> AsyncIterator[Process]:
    port, log = reserve_port(), folder / f"{name}.log"
    with log.open("wb") as output:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "mcphub_operator"),
            *("--kubeconfig", world.kubeconfig, "--namespaces", world.namespace),
            *("--http-port", str(port), "--identity", name),
            *("--lease-namespace", world.namespace),
            *flags,
            stdout=output,
            stderr=output,
            env={**os.environ, "PYTHONUNBUFFERED": "1"},
        )
    running = Process(process, log, port)
    try:
        yield running
    finally:
        await running.end(signal.SIGKILL)
