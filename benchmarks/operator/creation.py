"""A thousand hubs applied at once: until all children are written, and until rest."""

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass

from benchmarks.operator.baseline import send_all
from benchmarks.operator.hubs import build_hub, build_hub_write
from benchmarks.operator.plane import User, read_own_cpu, read_server_cpu
from benchmarks.operator.process import OperatorProcess
from mcphub_operator.client.kinds import CHILD_KINDS, DEPLOYMENT

STEP_SECONDS = 0.1
LONGEST_SECONDS = 600.0
CHILDREN = 8
"""What a hub of the benchmark has; two of them are Services, two Secrets."""


@dataclass(frozen=True, slots=True)
class Cost:
    """What making the hubs took; the CPU is that until rest, in seconds."""

    hubs: int
    children_seconds: float
    all_seconds: float
    operator_cpu: float
    server_cpu: float
    user_cpu: float
    writes: float
    reads: float
    mebibytes: float
    """Resident, at rest."""


async def create_hubs(
    user: User, operator: OperatorProcess, names: Sequence[str], concurrency: int
) -> Cost:
    """Apply hubs and follow the operator until it rests."""
    hubs = [build_hub_write(build_hub(user.namespace, name)) for name in names]
    there = await user.count(DEPLOYMENT)
    before, cpu = await operator.read(), _read_cpus(operator)
    began = time.monotonic()
    await send_all(user.connection, hubs, concurrency)
    await wait_deployments(user, operator, there + len(names))
    children = time.monotonic() - began
    rest = await operator.settle() - began
    after = await operator.read()
    used = [b - a for a, b in zip(cpu, _read_cpus(operator), strict=True)]
    return Cost(
        hubs=len(names),
        children_seconds=children,
        all_seconds=rest,
        operator_cpu=used[0],
        server_cpu=used[1],
        user_cpu=used[2],
        writes=after.hub_writes - before.hub_writes,
        reads=after.reads - before.reads,
        mebibytes=operator.server.rss_mebibytes,
    )


async def wait_deployments(user: User, operator: OperatorProcess, count: int) -> None:
    """Wait until there are so many: of a hub's children the Deployment is the last."""
    deadline = time.monotonic() + LONGEST_SECONDS
    while await user.count(DEPLOYMENT) < count:
        operator.check()
        if time.monotonic() > deadline:
            raise RuntimeError(f"{count} Deployments never came")
        await asyncio.sleep(STEP_SECONDS)


async def count_children(user: User) -> int:
    """Return the number of children; the Secret of the backend is not one."""
    return sum([await user.count(kind) for kind in CHILD_KINDS]) - 1


def _read_cpus(operator: OperatorProcess) -> tuple[float, float, float]:
    return operator.server.read_cpu_seconds(), read_server_cpu(), read_own_cpu()
