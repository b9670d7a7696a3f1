"""kopf in a thread of its own.

When kopf ends it cancels every task of its event loop, ours included, and some errors
of a watch end it. In its own thread and loop it can end and be started again while
writes are in hand here.
"""

import asyncio
import threading
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from contextlib import asynccontextmanager
from typing import Any

import kopf
import structlog

from mcphub_operator.handlers import Deliver, build_registry, watch_hubs
from mcphub_operator.kube.connection import Connection

log = structlog.get_logger(__name__)

RESTART_SECONDS = 2.0
JOIN_SECONDS = 10.0
CLOSE_SECONDS = 0.1


@asynccontextmanager
async def watching_hubs(
    connection: Connection, namespaces: Sequence[str], deliver: Deliver
) -> AsyncIterator[None]:
    """Have kopf deliver events into this event loop while the block lasts."""
    loop = asyncio.get_running_loop()
    stop = threading.Event()

    def pass_on(kind: str | None, item: dict[str, Any]) -> None:
        loop.call_soon_threadsafe(deliver, kind, item)

    registry = build_registry(_build_login(loop, connection), pass_on)

    def run() -> None:
        while not stop.is_set():
            _run_once(lambda: watch_hubs(registry, namespaces, stop))
            stop.wait(RESTART_SECONDS)

    thread = threading.Thread(target=run, name="kopf", daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        await asyncio.to_thread(thread.join, JOIN_SECONDS)


def _run_once(build: Callable[[], Coroutine[Any, Any, None]]) -> None:
    async def run() -> None:
        await build()
        # kopf closes its connections and does not wait until they are closed.
        await asyncio.sleep(CLOSE_SECONDS)

    try:
        asyncio.run(run())
    except Exception:
        log.exception("kopf_ended")


def _build_login(
    loop: asyncio.AbstractEventLoop, connection: Connection
) -> Callable[[], kopf.ConnectionInfo]:
    configuration = connection.configuration

    def login() -> kopf.ConnectionInfo:
        asked = asyncio.run_coroutine_threadsafe(connection.authorize(), loop)
        scheme, _, token = asked.result(10).get("Authorization", "").partition(" ")
        return kopf.ConnectionInfo(
            server=connection.host,
            ca_path=configuration.ssl_ca_cert,
            insecure=not configuration.verify_ssl,
            scheme=scheme or None,
            token=token or None,
            certificate_path=configuration.cert_file,
            private_key_path=configuration.key_file,
        )

    return login
