"""What the operator does while nothing happens, and at its own restart."""

import asyncio
import time
from dataclasses import dataclass

from benchmarks.operator.process import OperatorProcess


@dataclass(frozen=True, slots=True)
class Rest:
    """A while in which nothing changed."""

    minutes: float
    writes: float
    reads: float
    cpu_seconds: float


async def measure_rest(operator: OperatorProcess, seconds: float) -> Rest:
    """Look on while nothing happens."""
    before, cpu = await operator.read(), operator.server.read_cpu_seconds()
    began = time.monotonic()
    await asyncio.sleep(seconds)
    used = operator.server.read_cpu_seconds() - cpu
    minutes = (time.monotonic() - began) / 60
    after = await operator.read()
    return Rest(
        minutes, after.hub_writes - before.hub_writes, after.reads - before.reads, used
    )


@dataclass(frozen=True, slots=True)
class Restart:
    """From the start of the process until every hub was looked at."""

    seconds: float
    writes: float
    gets: float
    cpu_seconds: float
    mebibytes: float


async def measure_restart(operator: OperatorProcess, hubs: int) -> Restart:
    """Follow a new process until it rests."""
    rest = await operator.settle(passes=hubs)
    cpu, found = operator.server.read_cpu_seconds(), await operator.read()
    return Restart(
        seconds=rest - operator.started,
        writes=found.hub_writes,
        gets=found.requests.get("get", 0),
        cpu_seconds=cpu,
        mebibytes=operator.server.rss_mebibytes,
    )
