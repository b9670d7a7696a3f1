"""One replica of a hub as a process of its own, for tests that need several.

The transports, layers and shutdown are the server's; only tools and the list of
replicas are the test's. Run as `replica.py <settings as JSON>`.
"""

import asyncio
import json
import sys
from contextlib import asynccontextmanager
from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path

import uvicorn
from fastmcp import Context, FastMCP
from fastmcp.server.auth import AccessToken, TokenVerifier
from fastmcp.utilities.lifespan import combine_lifespans
from prometheus_client import CollectorRegistry, generate_latest
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from mcphub_server.middleware.authentication import Authenticate, Door
from mcphub_server.middleware.client import current_client
from mcphub_server.middleware.entry import Entry, EntryRules
from mcphub_server.middleware.hosts import build_host_policy
from mcphub_server.sessions.identity import Signatures, build_identity
from mcphub_server.sessions.keyring import LiveKeyring
from mcphub_server.sessions.layer import Paths, SessionParts, build_session_app
from mcphub_server.sessions.metrics import SessionMetrics
from mcphub_server.sessions.peers import Peers
from mcphub_server.sessions.replicas import DnsReplicas


@dataclass(frozen=True)
class Settings:
    address: str
    port: int
    uid: str
    members: str
    keys: str
    stateful: bool = True
    hub: str = "team-data"


class Tokens(TokenVerifier):
    """Every `token-<name>` is the client <name>."""

    async def verify_token(self, token):
        name = token.removeprefix("token-")
        if name == token:
            return None
        return AccessToken(token=token, client_id=name, scopes=[])


def build_tools(settings):
    mcp = FastMCP("replica")

    @mcp.tool
    async def where() -> str:
        """Tell which replica runs this."""
        return settings.uid

    @mcp.tool
    async def who() -> str:
        """Tell who is calling."""
        return current_client().principal

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

    return mcp


def build_app(settings):
    mcp = build_tools(settings)
    streamable = mcp.http_app(path="/mcp", stateless_http=not settings.stateful)
    sse = mcp.http_app(path="/sse", transport="sse")
    registry = CollectorRegistry()
    signatures = Signatures(
        build_identity("ns", settings.hub, settings.address, settings.uid),
        LiveKeyring(Path(settings.keys)),
    )

    async def resolve(_name):
        names = await asyncio.to_thread(Path(settings.members).read_text)
        return frozenset(ip_address(name) for name in names.split())

    peers = Peers(settings.port, DnsReplicas("pods", resolve), signatures)

    @asynccontextmanager
    async def open_peers(_app):
        async with peers:
            yield

    async def show_metrics(_request):
        return PlainTextResponse(generate_latest(registry))

    transports = Starlette(
        routes=[*streamable.routes, *sse.routes, Route("/metrics", show_metrics)],
        lifespan=combine_lifespans(streamable.lifespan, sse.lifespan, open_peers),
    )
    parts = SessionParts(
        signatures,
        peers,
        SessionMetrics(registry),
        Paths(stateful="/mcp" if settings.stateful else None),
    )
    door = Door(Tokens())
    inside = build_session_app(
        transports, parts, lambda app: Authenticate(app, door, lambda _reason: None)
    )
    rules = EntryRules(build_host_policy(settings.hub, "ns", "", []))
    return Entry(inside, rules)


def main():
    settings = Settings(**json.loads(sys.argv[1]))
    config = uvicorn.Config(
        build_app(settings),
        host=settings.address,
        port=settings.port,
        log_level="warning",
        http="h11",
        timeout_keep_alive=180,
    )
    uvicorn.Server(config).run()


if __name__ == "__main__":
    main()
