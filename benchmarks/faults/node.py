"""The clients of the TypeScript SDKs: one Node process that runs them all.

The process speaks lines of JSON; `worker.mjs` beside this says which.
"""

import asyncio
import json
import shutil
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchmarks.faults.callers import CLOSE_SECONDS, LostError, OnRecovery
from benchmarks.faults.ledger import RecoveryKind
from tests.support.node.clients import NodeClients

WORKER = Path(__file__).with_name("worker.mjs")
LONGEST_LINE = 4 * 1024 * 1024


class TypeScriptError(Exception):
    """What a TypeScript client threw."""


@dataclass(slots=True)
class Worker:
    """The Node process."""

    process: Process
    waiting: dict[int, asyncio.Future[Any]] = field(default_factory=dict)
    on_recovery: dict[int, OnRecovery] = field(default_factory=dict)
    asked: int = 0

    async def ask(self, **request: Any) -> Any:
        """Have something done; return its result."""
        self.asked += 1
        number = self.asked
        answer = asyncio.get_running_loop().create_future()
        self.waiting[number] = answer
        assert self.process.stdin is not None
        self.process.stdin.write(f"{json.dumps({'id': number, **request})}\n".encode())
        try:
            return await answer
        finally:
            self.waiting.pop(number, None)

    async def listen(self) -> None:
        """Take the process's lines until it ends."""
        assert self.process.stdout is not None
        async for line in self.process.stdout:
            message = json.loads(line)
            if "recovery" in message:
                self.on_recovery[message["client"]](RecoveryKind(message["recovery"]))
            else:
                self._settle(message)

    def _settle(self, message: dict[str, Any]) -> None:
        answer = self.waiting.get(message["id"])
        if answer is None or answer.done():
            return
        if "error" in message:
            kind = LostError if message.get("lost") else TypeScriptError
            answer.set_exception(kind(message["error"]))
        else:
            answer.set_result(message.get("result"))


@dataclass(slots=True)
class TypeScriptCaller:
    """One client of the process."""

    worker: Worker
    kind: str
    url: str
    on_recovery: OnRecovery
    number: int

    async def open(self, token: str) -> None:
        """Begin a session."""
        self.worker.on_recovery[self.number] = self.on_recovery
        await self._ask("open", kind=self.kind, url=self.url, token=token)

    async def call(self, tool: str, arguments: dict[str, Any], limit: float) -> Any:
        """Call a tool."""
        return await self._ask("call", tool=tool, arguments=arguments, seconds=limit)

    async def is_orphaned(self) -> bool:
        """Return False: the SDK fails a call only by what the hub says to its POST."""
        return False

    async def close(self) -> None:
        """End the session, whatever state it is in."""
        with suppress(TypeScriptError, TimeoutError):
            async with asyncio.timeout(CLOSE_SECONDS):
                await self._ask("close")

    async def _ask(self, do: str, **words: Any) -> Any:
        return await self.worker.ask(do=do, client=self.number, **words)


def install_worker(clients: NodeClients, folder: Path) -> tuple[str, str]:
    """Return the command; Node finds modules beside the program, so it gets a copy."""
    folder.mkdir(parents=True)
    shutil.copy(WORKER, folder)
    (folder / "node_modules").symlink_to(clients.modules)
    return str(clients.node), str(folder / WORKER.name)


@asynccontextmanager
async def running_worker(clients: NodeClients, folder: Path) -> AsyncIterator[Worker]:
    """Run the process."""
    command = install_worker(clients, folder)
    process = await asyncio.create_subprocess_exec(
        *command, stdin=PIPE, stdout=PIPE, stderr=DEVNULL, limit=LONGEST_LINE
    )
    worker = Worker(process)
    listening = asyncio.create_task(worker.listen())
    try:
        yield worker
    finally:
        process.kill()
        await process.wait()
        await listening
