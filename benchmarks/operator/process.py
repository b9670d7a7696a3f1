"""The operator as a process of its own, under its real entry point."""

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import aiohttp
from prometheus_client.parser import text_string_to_metric_families

from benchmarks.processes import STOP_SECONDS, ServerProcess
from tools.ports import reserve_port

ENTRY = Path(sys.executable).with_name("mcphub-operator")
START_SECONDS = 60.0
QUIET_SECONDS = 1.0
"""Longer than any delay between an event and the pass that it causes."""
STEP_SECONDS = 0.1
LEASE = "Lease"

Counts = Mapping[tuple[str, str], float]


@dataclass(frozen=True, slots=True)
class Reading:
    """What an operator has counted so far."""

    requests: Mapping[str, float]
    """By verb."""
    writes: Mapping[str, float]
    """By kind."""
    passes: float
    queued: float

    @property
    def hub_writes(self) -> float:
        """Return the writes without the renewals of the operator's own Lease."""
        return sum(n for kind, n in self.writes.items() if kind != LEASE)

    @property
    def reads(self) -> float:
        """Return the reads; a Lease that is held is renewed without any."""
        return sum(self.requests.get(verb, 0) for verb in ("get", "list", "watch"))

    @property
    def work(self) -> tuple[float, ...]:
        """Return what stands still when the operator does."""
        return self.passes, self.queued, self.hub_writes


@dataclass(slots=True)
class OperatorProcess:
    """A running operator."""

    server: ServerProcess
    url: str
    session: aiohttp.ClientSession
    started: float

    async def read(self) -> Reading:
        """Ask it for its metrics."""
        async with self.session.get(f"{self.url}/metrics") as answer:
            return _parse(await answer.text())

    async def is_ready(self) -> bool:
        """Ask whether its first lists are in."""
        try:
            async with self.session.get(f"{self.url}/readyz") as answer:
                return answer.status == 200
        except aiohttp.ClientError:
            return False

    async def settle(self, passes: int = 0) -> float:
        """Wait until it rests; return since when, by the monotonic clock.

        Args:
            passes: how many it must have made before that may count as rest.
        """
        last: tuple[float, ...] = ()
        since = time.monotonic()
        while time.monotonic() - since < QUIET_SECONDS:
            await asyncio.sleep(STEP_SECONDS)
            found = await self.read()
            if found.work != last or found.queued or found.passes < passes:
                last, since = found.work, time.monotonic()
            self.check()
        return since

    def check(self) -> None:
        """Raise if it has ended."""
        if self.server.process.poll() is not None:
            raise RuntimeError(f"the operator ended: {self.read_log()[-2000:]}")

    def read_log(self) -> str:
        """Return what it has written to its log."""
        return self.server.log.read_text(encoding="utf-8", errors="replace")


def _parse(text: str) -> Reading:
    samples = [
        sample
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    ]

    def total(name: str, label: str) -> dict[str, float]:
        found: dict[str, float] = {}
        for sample in samples:
            if sample.name == f"mcphub_operator_{name}":
                key = sample.labels.get(label, "")
                found[key] = found.get(key, 0) + sample.value
        return found

    return Reading(
        requests=total("api_requests_total", "verb"),
        writes=total("writes_total", "kind"),
        passes=sum(total("reconciles_total", "result").values()),
        queued=sum(total("queue_depth", "").values()),
    )


@asynccontextmanager
async def running_operator(
    kubeconfig: Path, folder: Path, *extra: str
) -> AsyncIterator[OperatorProcess]:
    """Run an operator for the length of the block; end it as a kubelet would."""
    port = reserve_port()
    argv = [
        str(ENTRY),
        f"--kubeconfig={kubeconfig}",
        f"--http-port={port}",
        "--lease-namespace=default",
        "--pod-access=direct",
        *extra,
    ]
    log = folder / f"operator-{port}.log"
    started = time.monotonic()
    with log.open("wb") as output:
        process = subprocess.Popen(  # noqa: ASYNC220 - returns at once
            argv, stdout=output, stderr=output, env=_environment()
        )
    url = f"http://127.0.0.1:{port}"
    try:
        async with aiohttp.ClientSession() as session:
            server = ServerProcess(process, log)
            operator = OperatorProcess(server, url, session, started)
            await _wait_ready(operator)
            yield operator
    finally:
        process.send_signal(signal.SIGTERM)
        await asyncio.to_thread(process.wait, STOP_SECONDS)


def _environment() -> dict[str, str]:
    """Leave out what would have Python itself do other things than for a user."""
    return {k: v for k, v in os.environ.items() if not k.startswith("PYTHON")}


async def _wait_ready(operator: OperatorProcess) -> None:
    deadline = operator.started + START_SECONDS
    while not await operator.is_ready():
        operator.check()
        if time.monotonic() > deadline:
            raise RuntimeError(f"not ready: {operator.read_log()[-2000:]}")
        await asyncio.sleep(STEP_SECONDS / 2)
