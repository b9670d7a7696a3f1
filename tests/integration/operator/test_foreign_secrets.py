"""Secrets of others: ten thousand of them cost next to no memory and no request."""

import asyncio
import re
from pathlib import Path

import pytest

from mcphub_operator.client.kinds import DEPLOYMENT
from tests.support.operator_process import Process, operator_process
from tests.support.running_operator import World
from tests.support.waiting import wait_until

pytestmark = pytest.mark.timeout(600)

STRANGERS = 10_000
AT_ONCE = 50
MOST_BYTES = 10 * 1024 * 1024
BACKEND = {
    "name": "postgres",
    "postgres": {
        "host": "postgres.data.svc",
        "database": "app",
        "credentialsSecretRef": {"name": "the-last"},
    },
}


async def make_strangers(world: World) -> None:
    for start in range(0, STRANGERS, AT_ONCE):
        names = (f"stranger-{number}" for number in range(start, start + AT_ONCE))
        await asyncio.gather(*(world.create_secret(n, key="value") for n in names))


async def requests(operator: Process) -> dict[str, float]:
    """How many it has made, by verb; lists and watches are renewed by the clock."""
    _, text = await operator.get("/metrics")
    counted = re.findall(
        r"^mcphub_operator_api_requests_total{(.*)} (.*)$", text, re.MULTILINE
    )
    return {
        labels: float(count)
        for labels, count in counted
        if not re.search('verb="(list|watch)"', labels)
    }


async def test_cost_no_memory_and_no_request(world: World, tmp_path: Path):
    """Seen as they come, and once more by a list at the start of another operator."""
    flags = ("--leader-election", "false")
    async with operator_process(world, tmp_path, "before", *flags) as operator:
        await world.apply_hub(backends=[BACKEND])
        await world.wait_condition("SecretsResolved", "False")
        await wait_until(lambda: _has_told(operator))
        asked, had = await requests(operator), operator.resident_bytes()

        await make_strangers(world)
        # The watch reports Secrets in order: behind these comes one that counts.
        seen = await requests(operator)
        await world.create_secret("the-last", username="u", password="p")
        await wait_until(lambda: _has_deployment(world))
        made = sum((await requests(operator)).values()) - sum(asked.values())
        grown = operator.resident_bytes() - had
    async with operator_process(world, tmp_path, "after", *flags) as operator:
        await wait_until(lambda: operator.has_logged("synced"))
        listed = operator.resident_bytes() - had

    print(
        f"{STRANGERS} foreign Secrets: {grown / 2**20:.1f} MiB more as they come,"
        f" {listed / 2**20:.1f} MiB more when listed at the start"
    )
    assert seen == asked
    assert made < STRANGERS / 100  # what the hub itself takes
    assert grown < MOST_BYTES
    assert listed < MOST_BYTES


async def _has_told(operator: Process) -> bool:
    """Whether the Event is written: the last thing of a pass with news."""
    return any('verb="create"' in labels for labels in await requests(operator))


async def _has_deployment(world: World) -> bool:
    return await world.find(DEPLOYMENT, "team-data") is not None
