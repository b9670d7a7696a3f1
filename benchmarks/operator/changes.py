"""How soon a change of a spec is in the children.

The clock runs from the API server's answer to the user until the last child that
changes comes by on a watch. A change of replicas is one write; one of the configuration
two, one after the other: pods must not roll onto a configuration that is not there.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import aiohttp
import msgspec

from benchmarks.operator.baseline import send, send_all
from benchmarks.operator.hubs import Write, build_hub, build_hub_write
from benchmarks.operator.percentiles import Spread, summarize
from benchmarks.operator.plane import User
from mcphub_operator.client.encoding import encode_body
from mcphub_operator.client.kinds import CONFIG_MAP, DEPLOYMENT
from mcphub_operator.client.writer import APPLY

PAUSE_SECONDS = 0.08
"""Longer than the status that follows a change takes."""
WAIT_SECONDS = 600.0
LEVELS = ("debug", "info")
RAW = "raw"


@dataclass(frozen=True, slots=True)
class Latencies:
    """What was measured in turns."""

    raw: Spread
    """One apply of a ConfigMap by a bare client."""
    replicas: Spread
    configuration: Spread


class DeploymentWatch:
    """One Deployment's generations, as a watch brings them."""

    def __init__(self) -> None:
        self.generation = 0
        self.seen_at = 0.0
        self._news = asyncio.Event()

    def see(self, event: dict[str, Any]) -> None:
        """Take over an event."""
        generation = event["object"]["metadata"].get("generation", 0)
        if generation > self.generation:
            self.generation, self.seen_at = generation, time.monotonic()
            self._news.set()

    async def wait_beyond(self, generation: int) -> float:
        """Wait for a newer one; return when it came."""
        async with asyncio.timeout(WAIT_SECONDS):
            while self.generation <= generation:
                self._news.clear()
                await self._news.wait()
        return self.seen_at


@asynccontextmanager
async def watching_deployment(user: User, name: str) -> AsyncIterator[DeploymentWatch]:
    """Watch one Deployment while the block lasts."""
    watch, connected = DeploymentWatch(), asyncio.Event()

    async def follow() -> None:
        query = f"?watch=true&fieldSelector=metadata.name={name}"
        url = user.connection.host + DEPLOYMENT.path(user.namespace) + query
        forever = aiohttp.ClientTimeout(total=None)
        async with user.connection.session.get(url, timeout=forever) as answer:
            connected.set()
            async for line in answer.content:
                watch.see(msgspec.json.decode(line))

    task = asyncio.create_task(follow())
    try:
        await connected.wait()
        await watch.wait_beyond(0)
        yield watch
    finally:
        task.cancel()


async def measure_change(
    user: User, watch: DeploymentWatch, hub: str, **spec: Any
) -> float:
    """Change a hub; return after how many seconds its Deployment was written."""
    write = build_hub_write(build_hub(user.namespace, hub, **spec))
    before = watch.generation
    await send(user.connection, write)
    began = time.monotonic()
    return max(0.0, await watch.wait_beyond(before) - began)


async def measure_raw(user: User, number: int) -> float:
    """Return how many seconds one apply takes."""
    began = time.monotonic()
    await send(user.connection, _build_raw(user, number))
    return time.monotonic() - began


def _build_raw(user: User, number: int) -> Write:
    path = CONFIG_MAP.path(user.namespace, RAW) + "?fieldManager=bench&force=true"
    body = {
        "apiVersion": "v1",
        "kind": CONFIG_MAP.name,
        "metadata": {"name": RAW, "namespace": user.namespace},
        "data": {"hub.yaml": f"number: {number}\n" * 40},
    }
    return Write("PATCH", path, APPLY, encode_body(body))


async def measure_alone(user: User, hub: str, rounds: int) -> Latencies:
    """Change one hub again and again, and nothing else."""
    raw, replicas, configuration = [], [], []
    async with watching_deployment(user, hub) as watch:
        for number in range(rounds):
            raw.append(await measure_raw(user, number))
            # The configuration keeps the replicas, so that only one thing changes.
            count, level = 2 - number % 2, LEVELS[number % 2]
            before = {"level": LEVELS[1 - number % 2]}
            replicas.append(
                await measure_change(user, watch, hub, replicas=count, logging=before)
            )
            await asyncio.sleep(PAUSE_SECONDS)
            now = {"level": level}
            configuration.append(
                await measure_change(user, watch, hub, replicas=count, logging=now)
            )
            await asyncio.sleep(PAUSE_SECONDS)
    return Latencies(summarize(raw), summarize(replicas), summarize(configuration))


@dataclass(frozen=True, slots=True)
class Crowd:
    """One hub's changes while many others change."""

    own: Spread
    others: int
    seconds: float
    """Until the users had said all that they wanted."""


async def measure_in_crowd(
    user: User, hub: str, others: Sequence[str], concurrency: int
) -> Crowd:
    """Change one hub again and again while others' users change theirs at once."""
    changes = [
        build_hub_write(build_hub(user.namespace, name, logging={"level": "warning"}))
        for name in others
    ]
    found: list[float] = []
    async with watching_deployment(user, hub) as watch:
        crowd = asyncio.create_task(send_all(user.connection, changes, concurrency))
        while not crowd.done():
            count = 4 + len(found) % 2
            found.append(await measure_change(user, watch, hub, replicas=count))
        return Crowd(summarize(found), len(others), await crowd)
