"""The operator's HTTP side: liveness, readiness, metrics.

Live means that the event loop turns; ready, that the definition fits and the first
lists are in. A standby is ready too: it could take over at once.
"""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass

from aiohttp import web
from prometheus_client import CollectorRegistry
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest

UNAVAILABLE = 503


@dataclass(slots=True)
class Readiness:
    """Why the operator is not ready; empty once it is."""

    reason: str = "starting"
    note: str = ""
    """What a ready operator does not serve."""


@asynccontextmanager
async def serve_probes(
    port: int,
    readiness: Readiness,
    registry: CollectorRegistry,
    refresh: Callable[[], None],
) -> AsyncIterator[None]:
    """Serve /healthz, /readyz and /metrics while the block lasts; port 0: nothing.

    Args:
        port: where to listen, on all addresses, as probes come from the node.
        readiness: read at each request.
        registry: the metrics.
        refresh: brings gauges up to date before they are shown.
    """
    if port == 0:
        yield
        return

    async def healthz(_: web.Request) -> web.Response:
        return web.Response(text="ok\n")

    async def readyz(_: web.Request) -> web.Response:
        if readiness.reason:
            return web.Response(status=UNAVAILABLE, text=readiness.reason + "\n")
        return web.Response(text="\n".join(filter(None, ("ok", readiness.note))) + "\n")

    async def metrics(_: web.Request) -> web.Response:
        refresh()
        body = generate_latest(registry)
        return web.Response(body=body, headers={"Content-Type": CONTENT_TYPE_LATEST})

    app = web.Application()
    app.router.add_get("/healthz", healthz)
    app.router.add_get("/readyz", readyz)
    app.router.add_get("/metrics", metrics)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    try:
        await web.TCPSite(runner, port=port).start()
        yield
    finally:
        await runner.cleanup()
