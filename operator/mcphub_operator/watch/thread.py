"""kopf in a thread of its own.

When kopf ends it cancels every task of its event loop, ours included, and some errors
of a watch end it. In its own thread and loop it can end and be started again while
writes are in hand here.
"""

import asyncio
import threading
import time
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import kopf
import structlog

from mcphub_operator.client.connection import Connection, build_ssl, let_close
from mcphub_operator.watch.handlers import Deliver, Login, build_registry, watch_hubs

log = structlog.get_logger(__name__)

RESTART_SECONDS = 2.0
JOIN_SECONDS = 10.0
LOGIN_SECONDS = 2.0
"""Credentials that are refused at once are not shown again at once."""


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
        try:
            await build()
        finally:
            await let_close()

    try:
        asyncio.run(run())
    except Exception:
        log.exception("kopf_ended")


def _build_login(loop: asyncio.AbstractEventLoop, connection: Connection) -> Login:
    """Return kopf's way in: a session with the same TLS settings as ours.

    Each is new, so kopf never takes one for the session that was just refused, as it
    would with the same certificate after an API server's hiccup.
    """
    last = -LOGIN_SECONDS

    async def login() -> kopf.AiohttpSession:
        nonlocal last
        await asyncio.sleep(last + LOGIN_SECONDS - time.monotonic())
        last = time.monotonic()
        asked = asyncio.run_coroutine_threadsafe(connection.authorize(), loop)
        headers = await asyncio.wrap_future(asked)
        secured = aiohttp.TCPConnector(limit=0, ssl=build_ssl(connection.configuration))
        session = aiohttp.ClientSession(connector=secured, headers=headers)
        return kopf.AiohttpSession(server=connection.host, aiohttp_session=session)

    return login
