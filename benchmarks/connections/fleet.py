"""Replicas as processes, each told how much memory a Deployment gives it."""

import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from benchmarks.hub import Backend, HubFolder, write_hub
from benchmarks.processes import ServerProcess, running, wait_until_ready
from mcphub_server.traffic.capacity import MEBIBYTE, count_streams
from tools.project import ROOT

MEMORY_LIMIT_MEBIBYTES = 512
"""The default of `spec.resources.limits.memory`."""

MOST_STREAMS = count_streams(MEMORY_LIMIT_MEBIBYTES * MEBIBYTE)
"""What a replica derives from that limit in a container; here nothing tells it."""

SETTLE_SECONDS = 4.0


@dataclass(frozen=True, slots=True)
class Weighed:
    """What a replica has used."""

    mebibytes: float
    cpu_seconds: float


@dataclass(frozen=True, slots=True)
class Fleet:
    """Running replicas, all on one port."""

    hub: HubFolder
    addresses: Sequence[str]
    servers: Sequence[ServerProcess]

    def weigh(self) -> list[Weighed]:
        """Return what each has used so far."""
        return [
            Weighed(each.rss_mebibytes, each.read_cpu_seconds())
            for each in self.servers
        ]


@contextmanager
def running_fleet(backend: Backend, count: int) -> Iterator[Fleet]:
    """Run that many replicas of a hub until the block ends."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        hub = write_hub(folder / "hub", [backend])
        (hub.folder / "keys").mkdir()
        for name in ("current", "state"):
            (hub.folder / "keys" / name).write_text(f"bench {name}", encoding="utf-8")
        addresses = [f"127.0.0.{number + 2}" for number in range(count)]
        members = folder / "members"
        members.write_text("\n".join(addresses), encoding="utf-8")
        argv = [sys.executable, "-m", "benchmarks.connections.replica", str(members)]
        servers = [
            stack.enter_context(
                running(argv, folder / f"{each}.log", environment(hub, each))
            )
            for each in addresses
        ]
        for each, server in zip(addresses, servers, strict=True):
            ready = f"http://{each}:{hub.management_port}/health/ready"
            wait_until_ready(server, ready)
        time.sleep(SETTLE_SECONDS)
        yield Fleet(hub, addresses, servers)


def environment(hub: HubFolder, address: str) -> dict[str, str]:
    """Return what the environment of the pod at this address would carry."""
    return {
        **hub.environment,
        "PYTHONPATH": str(ROOT),
        "MCPHUB_HOST": address,
        "MCPHUB_POD_IP": address,
        "MCPHUB_POD_UID": address,
        "MCPHUB_HUB": "bench",
        "MCPHUB_NAMESPACE": "bench",
        "MCPHUB_MAX_STREAMS": str(MOST_STREAMS),
    }
