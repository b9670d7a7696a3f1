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
from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path

from fastmcp import Context

from mcphub_server.app import build_hub
from mcphub_server.config.hub import HubConfig
from mcphub_server.config.runtime import RuntimeSettings
from mcphub_server.lifespan import serve
from mcphub_server.logs import configure_logging
from mcphub_server.middleware.client import current_client
from mcphub_server.sessions.replicas import DnsReplicas


@dataclass(frozen=True)
class Settings:
    address: str
    port: int
    uid: str
    folder: str
    management_port: int = 0
    stateful: bool = True


def add_tools(mcp, settings):
    @mcp.tool
    async def where() -> str:
        """Tell which replica runs this."""
        return settings.uid

    @mcp.tool
    async def who() -> str:
        """Tell who is calling, and from where."""
        client = current_client()
        return f"{client.principal} {client.address}"

    @mcp.tool
    async def slow(seconds: float) -> str:
        """Take a while."""
        await asyncio.sleep(seconds)
        return settings.uid

    @mcp.tool
    async def stepwise(steps: int, ctx: Context) -> str:
        """Tell how far it is."""
        for step in range(steps):
            await ctx.report_progress(step, steps)
            await asyncio.sleep(0.05)
        return settings.uid


def read_runtime(settings):
    folder = Path(settings.folder)
    return RuntimeSettings(
        host=settings.address,
        port=settings.port,
        management_port=settings.management_port,
        tokens_dir=folder / "tokens",
        keys_dir=folder / "keys",
        hub="team-data",
        namespace="ns",
        pod_name=settings.uid,
        pod_ip=settings.address,
        pod_uid=settings.uid,
        drain_linger_seconds=float(os.environ.get("LINGER_SECONDS", "0.5")),
    )


async def run(settings):
    config = HubConfig.model_validate(
        {
            "transports": {
                "streamableHTTP": {
                    "sessions": "Stateful" if settings.stateful else "Stateless"
                }
            },
            "limits": {"requestsPerSecond": 10_000, "burst": 10_000},
            "logging": {"level": "warning"},
        }
    )
    configure_logging(config.logging)

    async def resolve(_name):
        names = await asyncio.to_thread(Path(settings.folder, "members").read_text)
        return frozenset(ip_address(name) for name in names.split())

    hub = build_hub(config, read_runtime(settings), DnsReplicas("pods", resolve))
    add_tools(hub.mcp, settings)
    await serve(hub)


def fork(settings):
    child = os.fork()
    if child == 0:
        sys.stdin.close()
        asyncio.run(run(settings))
        os._exit(0)
    print(child, flush=True)
    threading.Thread(target=report, args=(child,), daemon=True).start()


def report(child):
    _, status = os.waitpid(child, 0)
    print(child, os.waitstatus_to_exitcode(status), flush=True)


if __name__ == "__main__":
    for line in sys.stdin:
        fork(Settings(**json.loads(line)))
