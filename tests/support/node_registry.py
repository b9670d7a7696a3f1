"""A registry of this machine's loopback, at the same address in each node of a cluster.

A node made by `tools.cluster` has a loopback of its own. containerd speaks plain HTTP
to a registry there, so a node pulls as it would from any other registry: by the image's
name, with the credentials of a pull secret.
"""

import asyncio
import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.support.registry import SERVE, LoopbackRegistry
from tests.support.waiting import wait_until
from tools.cluster.namespaces import enter, require_node_init
from tools.cluster.power import site_of

LISTENS = "0A"
"""A socket's state in /proc/net/tcp; see proc(5)."""


@contextmanager
def serving_in_nodes(registry: LoopbackRegistry, cluster: str) -> Iterator[None]:
    """Serve what the registry holds in every node of a cluster of `tools.cluster`."""
    site = site_of(cluster)
    inits = [require_node_init(site.state, node) for node in site.plan.nodes]
    with (registry.config.parent / "nodes.log").open("w") as log:
        processes = [
            subprocess.Popen(
                [*enter(init, "net"), *SERVE, str(registry.config)],
                # REGISTRY_AUTH_FILE is skopeo's; to the registry it is a setting.
                env={"PATH": os.environ["PATH"]},
                stdout=log,
                stderr=log,
            )
            for init in inits
        ]
    try:
        asyncio.run(
            wait_until(lambda: all(is_served(init, registry.port) for init in inits))
        )
        yield
    finally:
        for process in processes:
            process.terminate()
        for process in processes:
            process.wait(timeout=30)


def is_served(pid: int, port: int) -> bool:
    """Tell whether a port of a process's loopback has a listener."""
    lines = Path(f"/proc/{pid}/net/tcp").read_text().splitlines()[1:]
    sockets = (line.split()[1:4:2] for line in lines)
    return any(
        address.endswith(f":{port:04X}") and state == LISTENS
        for address, state in sockets
    )
