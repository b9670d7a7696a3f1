"""One replica as users run it, but that it reads its peers' addresses from a file.

`python -m benchmarks.connections.replica FILE`, with the settings of a pod in the
environment. In a cluster DNS says what the file says here.
"""

import asyncio
import sys
from ipaddress import ip_address
from pathlib import Path

from mcphub_server.app import build_hub
from mcphub_server.config.load import load_hub_config
from mcphub_server.config.runtime import RuntimeSettings
from mcphub_server.lifespan import serve
from mcphub_server.logs import configure_logging
from mcphub_server.sessions.peers.dns import DnsPeers
from mcphub_server.sessions.tokens.session_id import IpAddress


async def run(members: Path) -> None:
    """Serve until told to stop."""

    async def resolve(_name: str) -> frozenset[IpAddress]:
        names = await asyncio.to_thread(members.read_text, encoding="utf-8")
        return frozenset(ip_address(name) for name in names.split())

    runtime = RuntimeSettings()
    config = load_hub_config(runtime)
    configure_logging(config.logging)
    await serve(build_hub(config, runtime, DnsPeers("pods", resolve)))


if __name__ == "__main__":
    asyncio.run(run(Path(sys.argv[1])))
