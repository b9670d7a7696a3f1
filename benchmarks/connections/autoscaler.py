"""Prints how an autoscaler answers: `python -m benchmarks.connections.autoscaler`.

Idle streams over SSE fill one replica of a hub on a real cluster until the autoscaler
asks for another one; then more of them come, and it is counted where they go.
"""

import asyncio
import json
import re
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from benchmarks.cluster import making_cluster
from benchmarks.conditions import describe_conditions
from benchmarks.connections.clients import Service, Session, build_service, open_session
from benchmarks.figures import Figure, render_table
from tools.ports import reserve_port
from tools.quickstart.site import NAMESPACE, Site
from tools.quickstart.steps import Shell
from tools.quickstart.trial import Trial

NAME, PORT = "crowded", 30812
TARGET_PERCENT = 80
MOST_REPLICAS = 3
HUB = {
    "apiVersion": "mcp.bigtorig.com/v1alpha1",
    "kind": "McpHub",
    "metadata": {"name": NAME, "namespace": NAMESPACE},
    "spec": {
        "backends": [
            {
                "name": "postgres",
                "postgres": {
                    "host": f"postgres.{NAMESPACE}.svc",
                    "database": "shop",
                    "credentialsSecretRef": {
                        "name": "demo-credentials",
                        "usernameKey": "postgres-user",
                        "passwordKey": "postgres-password",
                    },
                },
            }
        ],
        "service": {"type": "NodePort", "nodePort": PORT},
        "autoscaling": {
            "minReplicas": 1,
            "maxReplicas": MOST_REPLICAS,
            "targetMemoryUtilizationPercentage": TARGET_PERCENT,
            "targetCPUUtilizationPercentage": 1000,  # opening streams costs CPU
        },
    },
}
CROWD = 20
PAUSE_SECONDS = 2.0
"""Ten streams a second: the autoscaler looks every fifteen seconds."""
MOST_STREAMS = 2000
NEW_STREAMS = 200
READY_SECONDS = 180.0
POLL_SECONDS = 0.5
STREAMS = re.compile(r"^mcphub_sessions (\S+)$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Crowded:
    """A hub on a cluster, and its autoscaler."""

    trial: Trial
    shell: Shell

    async def kubectl(self, *words: str, stdin: str | None = None) -> str:
        """Run kubectl in the hub's namespace, beside the open streams."""
        words = ("-n", NAMESPACE, *words)
        call = partial(self.trial.kubectl, self.shell, *words, stdin=stdin)
        return await asyncio.to_thread(call)

    async def read(self, kind: str, *words: str) -> dict[str, Any]:
        """Return an object, or a list of them."""
        found: dict[str, Any] = json.loads(
            await self.kubectl("get", kind, *words, "-o", "json")
        )
        return found

    async def make(self) -> Service:
        """Make the hub, and return the way to it through two nodes."""
        await self.kubectl("apply", "-f", "-", stdin=json.dumps(HUB))
        ready = ("--for=condition=Ready", f"mcphub/{NAME}", "--timeout=120s")
        await self.kubectl("wait", *ready)
        nodes = (await self.read("nodes"))["items"]
        addresses = [
            each["address"]
            for node in nodes
            for each in node["status"]["addresses"]
            if each["type"] == "InternalIP"
        ]
        token = await asyncio.to_thread(self.trial.token, self.shell, NAME)
        return build_service(PORT, token, addresses)

    async def count_wanted(self) -> int:
        """Return how many replicas the autoscaler wants."""
        status = (await self.read("hpa", NAME))["status"]
        return int(status.get("desiredReplicas", 0))

    async def read_utilization(self) -> float:
        """Return the memory that the autoscaler saw, in percent of the request."""
        status = (await self.read("hpa", NAME))["status"]
        found = {m["resource"]["name"]: m["resource"] for m in status["currentMetrics"]}
        return float(found["memory"]["current"]["averageUtilization"])

    async def count_streams(self) -> dict[str, int]:
        """Return how many streams each ready replica holds."""
        selector = f"app.kubernetes.io/instance={NAME}"
        found = {}
        for pod in (await self.read("pods", "-l", selector))["items"]:
            if not all(c["ready"] for c in pod["status"].get("containerStatuses", ())):
                continue
            name = pod["metadata"]["name"]
            path = f"/api/v1/namespaces/{NAMESPACE}/pods/{name}:8081/proxy/metrics"
            text = await self.kubectl("get", "--raw", path)
            found[name] = int(float(STREAMS.findall(text)[0]))
        return found

    async def wait_for_replicas(self, count: int) -> dict[str, int]:
        """Wait until so many are ready; return how many streams each holds."""
        async with asyncio.timeout(READY_SECONDS):
            while len(found := await self.count_streams()) < count:  # noqa: ASYNC110
                await asyncio.sleep(POLL_SECONDS)
        return found


@dataclass(frozen=True, slots=True)
class Answer:
    """What the autoscaler made of the crowd."""

    asked_at: int
    percent: float
    seconds_until_ready: float
    before: dict[str, int]
    after: dict[str, int]
    ended: int


async def crowd(hub: Crowded) -> Answer:
    """Open streams until another replica is wanted, and more once it is ready."""
    service = await hub.make()
    sessions: list[Session] = []
    while await hub.count_wanted() < 2:
        if len(sessions) >= MOST_STREAMS:
            raise RuntimeError(f"{MOST_STREAMS} streams, and no replica was asked for")
        sessions += await open_streams(service, CROWD)
        await asyncio.sleep(PAUSE_SECONDS)
    asked_at, begun = len(sessions), time.monotonic()
    percent = await hub.read_utilization()
    before = await hub.wait_for_replicas(2)
    seconds = time.monotonic() - begun
    for _ in range(NEW_STREAMS // CROWD):
        sessions += await open_streams(service, CROWD)
    after = await hub.count_streams()
    ended = sum(session.ended for session in sessions)
    return Answer(asked_at, percent, seconds, before, after, ended)


async def open_streams(service: Service, count: int) -> list[Session]:
    """Open some streams at once."""
    return await asyncio.gather(*(open_session(service) for _ in range(count)))


def report(answer: Answer) -> Iterator[Figure]:
    """Tell how the autoscaler answered."""
    (first,) = (name for name, streams in answer.before.items() if streams)
    accepted = sum(s for name, s in answer.after.items() if name != first)
    seen = f"{answer.percent:.0f} % of its memory request, the target {TARGET_PERCENT}"
    yield Figure(
        "streams when another replica was asked for", answer.asked_at, "", None, seen
    )
    yield Figure("until it was ready", answer.seconds_until_ready, "s", None, "")
    yield Figure(
        "streams that it took",
        accepted,
        "",
        None,
        f"of the {NEW_STREAMS} that came then",
    )
    total = sum(answer.after.values())
    yield Figure("streams that ended", answer.ended, "", 0, f"of {total}")


def main() -> None:
    """Make a cluster, fill a hub, print the table, and take the cluster down."""
    conditions = list(describe_conditions())
    with tempfile.TemporaryDirectory() as folder:
        trial = Trial(Site("mcphub-crowd", Path(folder), reserve_port()))
        with making_cluster(trial) as shell:
            answer = asyncio.run(crowd(Crowded(trial, shell)))
    print("\n".join([*conditions, "", render_table(report(answer))]))


if __name__ == "__main__":
    main()
