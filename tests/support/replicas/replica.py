"""Replicas of a hub as processes of their own, for tests that need several.

Everything but the tools and the list of replicas is the server's own. Run without
arguments: it loads the server once and forks a replica for each line of settings (as
JSON) on its standard input, because loading takes seconds on a busy machine. It
prints `<process id>` for each, and `<process id> <exit code>` when that one has ended.
"""

import asyncio
import json
import os
import sys
import threading
import warnings
from dataclasses import dataclass, field
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import asyncpg  # noqa: F401 -- loaded once, for all
import mcp

from mcphub_server import event_loop
from mcphub_server.app import build_hub
from mcphub_server.config.hub import HubConfig
from mcphub_server.config.runtime import RuntimeSettings
from mcphub_server.lifespan import serve
from mcphub_server.logs import configure_logging
from mcphub_server.sessions.peers.dns import DnsPeers
from mcphub_server.sessions.tokens.session_id import IpAddress
from tests.support.conformance.fixtures import add_fixtures
from tests.support.replicas.tools import add_tools

BASE: dict[str, Any] = {
    "limits": {"requestsPerSecond": 10_000, "burst": 10_000},
    "logging": {"level": "warning"},
}


@dataclass(frozen=True)
class Settings:
    """What one replica is told.

    Attributes:
        address: Where it listens, and its pod's IP.
        folder: Where keys, tokens and the list of members are.
        config: What `hub.yaml` would say.
        mounted: What it offers besides its own tools: the tests' `tools`, the
            `fixtures` of the conformance suite, or nothing.
        secrets: The folder of the backends' secrets.
        keys: The folder of this replica's keys, if it is not everybody's.
    """

    address: str
    port: int
    uid: str
    folder: str
    management_port: int = 0
    stateful: bool = True
    config: dict[str, Any] = field(default_factory=dict)
    mounted: str = "tools"
    secrets: str = ""
    keys: str = ""
    key_settling_seconds: float = 180.0
    max_streams: int = 0


def read_runtime(settings: Settings) -> RuntimeSettings:
    """Say what the pod's environment would."""
    folder = Path(settings.folder)
    return RuntimeSettings(
        host=settings.address,
        port=settings.port,
        management_port=settings.management_port,
        secrets_dir=Path(settings.secrets or folder),
        tokens_dir=folder / "tokens",
        keys_dir=Path(settings.keys) if settings.keys else folder / "keys",
        tls_dir=folder / "tls",
        key_settling_seconds=settings.key_settling_seconds,
        max_streams=settings.max_streams,
        hub="team-data",
        namespace="ns",
        pod_name=settings.uid,
        pod_ip=settings.address,
        pod_uid=settings.uid,
    )


async def run(settings: Settings) -> None:
    """Serve until told to stop."""
    sessions = "Stateful" if settings.stateful else "Stateless"
    transports = {
        "streamableHTTP": {"sessions": sessions},
        "webSocket": {"enabled": True},
    }
    config = HubConfig.model_validate(
        {"transports": transports, **BASE, **settings.config}
    )
    runtime = read_runtime(settings)
    configure_logging(config.logging, runtime.origin)

    async def resolve(_name: str) -> frozenset[IpAddress]:
        names = await asyncio.to_thread(Path(settings.folder, "members").read_text)
        return frozenset(ip_address(name) for name in names.split())

    hub = build_hub(config, runtime, DnsPeers("pods", resolve))
    if settings.mounted == "tools":
        add_tools(hub.transports.mcp, settings.uid)
    elif settings.mounted == "fixtures":
        add_fixtures(hub.transports.mcp)
    await serve(hub)


def fork(settings: Settings) -> None:
    """Start a replica, and report how it ends."""
    child = os.fork()
    if child == 0:
        sys.stdin.close()
        event_loop.run(run(settings))
        os._exit(0)
    print(child, flush=True)
    threading.Thread(target=report, args=(child,), daemon=True).start()


def report(child: int) -> None:
    """Wait for a replica's end."""
    _, status = os.waitpid(child, 0)
    print(child, os.waitstatus_to_exitcode(status), flush=True)


if __name__ == "__main__":
    # the suite's fixtures use what the newest revision deprecates
    warnings.simplefilter("ignore", mcp.MCPDeprecationWarning)
    for line in sys.stdin:
        fork(Settings(**json.loads(line)))
