"""What the operator holds: with more and more hubs, and after many came and went."""

from collections.abc import Iterator

from benchmarks.operator.baseline import send_all
from benchmarks.operator.creation import wait_deployments
from benchmarks.operator.hubs import Write, build_hub, build_hub_write, build_names
from benchmarks.operator.plane import User, drop_hubs
from benchmarks.operator.process import OperatorProcess
from mcphub_operator.client.kinds import DEPLOYMENT


async def grow_to(
    user: User, operator: OperatorProcess, count: int, concurrency: int
) -> float:
    """Have so many hubs; return the resident MiB once the operator rests."""
    writes = [_build(user, name) for name in build_names(count)]
    there = await user.count(DEPLOYMENT)
    await send_all(user.connection, writes[there:], concurrency)
    await wait_deployments(user, operator, count)
    await operator.settle()
    return operator.server.rss_mebibytes


async def cycle(
    user: User, operator: OperatorProcess, count: int, concurrency: int
) -> float:
    """Make hubs and delete them; return the resident MiB once the operator rests."""
    writes = [_build(user, name) for name in build_names(count, "passing")]
    there = await user.count(DEPLOYMENT)
    await send_all(user.connection, writes, concurrency)
    await wait_deployments(user, operator, there + count)
    await empty(user, operator)
    return operator.server.rss_mebibytes


async def empty(user: User, operator: OperatorProcess) -> None:
    """Delete every hub and all that they had."""
    await drop_hubs(user)
    await operator.settle()
    await user.clear_children()
    await operator.settle()


def split(total: int, size: int) -> Iterator[int]:
    """Yield batches of at most a size that make up a total."""
    for start in range(0, total, size):
        yield min(size, total - start)


def _build(user: User, name: str) -> Write:
    return build_hub_write(build_hub(user.namespace, name))
