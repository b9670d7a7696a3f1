"""The same writes by a bare client: the least that a thousand hubs can take.

Nothing is decided, read or watched; bodies are encoded before the clock starts. Only
the hub's uid must be waited for, as owner references carry it.
"""

import asyncio
import json
import time
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass

from benchmarks.operator.hubs import (
    Write,
    build_child_writes,
    build_hub,
    build_hub_write,
    build_names,
    build_status_write,
)
from benchmarks.operator.plane import User, read_own_cpu, read_server_cpu
from mcphub_operator.client.connection import Connection

Job = Callable[[], Awaitable[object]]

CONCURRENCIES = (8, 16, 32)
TRIAL_HUBS = 60


@dataclass(frozen=True, slots=True)
class Baseline:
    """How long the bare client took."""

    concurrency: int
    children_seconds: float
    """Hubs and their children."""
    all_seconds: float
    """A status of each too."""
    cpu_seconds: float
    """Of this process, the API server and etcd, for all of it."""


async def send(connection: Connection, write: Write) -> bytes:
    """Make a write and return the answer.

    Raises:
        RuntimeError: the API server refused it.
    """
    async with connection.session.request(
        write.method,
        connection.host + write.path,
        data=write.body,
        headers={"Content-Type": write.content_type, "Accept": "application/json"},
    ) as answer:
        body = await answer.read()
        if answer.status >= 400:
            raise RuntimeError(f"{write.method} {write.path}: {body[:500]!r}")
        return body


async def send_all(
    connection: Connection, writes: Sequence[Write], concurrency: int
) -> float:
    """Make all writes, so many at a time; return how many seconds it took."""

    def make(write: Write) -> Job:
        return lambda: send(connection, write)

    return await run_jobs([make(write) for write in writes], concurrency)


async def run_jobs(jobs: Iterable[Job], concurrency: int) -> float:
    """Run all jobs, so many at a time; return how many seconds it took."""
    left = iter(jobs)

    async def work() -> None:
        for job in left:
            await job()

    began = time.monotonic()
    async with asyncio.TaskGroup() as group:
        for _ in range(concurrency):
            group.create_task(work())
    return time.monotonic() - began


@dataclass(frozen=True, slots=True)
class _Creation:
    connection: Connection
    hub: Write
    children: Sequence[Write]
    status: Write
    uids: list[str]

    async def create(self) -> None:
        made = json.loads(await send(self.connection, self.hub))
        uid = made["metadata"]["uid"]
        self.uids.append(uid)
        for child in self.children:
            await send(self.connection, child.owned_by(uid))

    async def write_status(self) -> None:
        await send(self.connection, self.status.owned_by(self.uids[0]))


async def measure_baseline(user: User, count: int) -> Baseline:
    """Time the writes of so many hubs at the concurrency that was quickest."""
    trials = {c: await _measure(user, f"try{c}", TRIAL_HUBS, c) for c in CONCURRENCIES}
    best = min(trials, key=lambda c: trials[c].children_seconds)
    return await _measure(user, "baseline", count, best)


async def _measure(user: User, prefix: str, count: int, concurrency: int) -> Baseline:
    creations = [_build(user, name) for name in build_names(count, prefix)]
    before = read_own_cpu() + read_server_cpu()
    children = await run_jobs([each.create for each in creations], concurrency)
    rest = await run_jobs([each.write_status for each in creations], concurrency)
    used = read_own_cpu() + read_server_cpu() - before
    return Baseline(concurrency, children, children + rest, used)


def _build(user: User, name: str) -> _Creation:
    hub = build_hub(user.namespace, name)
    return _Creation(
        connection=user.connection,
        hub=build_hub_write(hub),
        children=build_child_writes(hub),
        status=build_status_write(hub),
        uids=[],
    )
