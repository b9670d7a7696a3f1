"""kopf in a thread of its own, and another run of it whenever one ends.

When kopf ends it cancels every task of its event loop, ours included, and some errors
of a watch end it (a 404, when the definition is deleted). In its own thread and loop it
can end and be started again while writes are in hand here.
"""

import asyncio
import contextlib
import threading
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import aiohttp
import kopf
import structlog

from mcphub_operator.client.connection import Connection, build_ssl, let_close
from mcphub_operator.errors import WatchLost
from mcphub_operator.watch.handlers import Deliver, Login, build_registry, watch_hubs

log = structlog.get_logger(__name__)

RESTART_SECONDS = 2.0
JOIN_SECONDS = 10.0
LOGIN_SECONDS = 2.0
"""Credentials that are refused at once are not shown again at once."""
BEAT_SECONDS = 5.0
SILENT_SECONDS = 45.0
"""A run whose event loop has not turned for so long is dead."""


@dataclass(frozen=True, slots=True)
class WatchedHubs:
    """What is watched, and which handlers receive the events."""

    connection: Connection
    find_namespaces: Callable[[], Sequence[str]]
    """Asked at the start of each run; no namespace is the whole cluster."""
    changed: asyncio.Event
    """Set when another namespace is served: that takes another run."""
    deliver: Deliver
    prepare: Callable[[], Awaitable[None]]
    """Called before each run; returns once hubs can be watched."""
    report: Callable[[str], None]
    """Called with why nothing is watched, and with nothing once it is."""


@asynccontextmanager
async def watching_hubs(watched: WatchedHubs) -> AsyncIterator[asyncio.Task[None]]:
    """Have kopf deliver events into this event loop while the block lasts.

    The task that is yielded ends with `WatchLost` if a run is silent and cannot be
    ended: only another process helps then.
    """
    task = asyncio.create_task(_keep_running(watched))
    try:
        yield task
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError, WatchLost):
            await task


async def _keep_running(watched: WatchedHubs) -> None:
    loop = asyncio.get_running_loop()

    def pass_on(kind: str | None, item: dict[str, Any]) -> None:
        loop.call_soon_threadsafe(watched.deliver, kind, item)

    registry = build_registry(_build_login(loop, watched.connection), pass_on)
    while True:
        await watched.prepare()
        watched.changed.clear()
        run = _KopfRun(registry, watched.find_namespaces())
        watched.report("")
        try:
            await run.wait_ended(watched.changed)
        finally:
            await run.stop()
        if watched.changed.is_set():
            continue
        watched.report("the watch of McpHubs ended; it is started again")
        log.warning("watch_ended", kind="McpHub", action="starting it again")
        await asyncio.sleep(RESTART_SECONDS)


class _KopfRun:
    """One run of kopf."""

    def __init__(
        self, registry: kopf.OperatorRegistry, namespaces: Sequence[str]
    ) -> None:
        self._registry = registry
        self._namespaces = namespaces
        self._began = threading.Event()
        self._beat = time.monotonic()
        self._thread = threading.Thread(target=self._run, name="kopf", daemon=True)
        self._thread.start()

    async def wait_ended(self, unless: asyncio.Event) -> None:
        """Wait for the end of the run, or until an event is set.

        Raises:
            WatchLost: its event loop does not turn any more.
        """
        while self._thread.is_alive() and not unless.is_set():
            await asyncio.sleep(0.1)
            if time.monotonic() - self._beat > SILENT_SECONDS:
                raise WatchLost("the watch of McpHubs is silent")

    async def stop(self) -> None:
        """End the run."""
        while self._thread.is_alive() and not self._began.is_set():  # noqa: ASYNC110 - threads
            await asyncio.sleep(0.01)
        with contextlib.suppress(RuntimeError):  # its loop is closed: it has ended
            self._loop.call_soon_threadsafe(self._stop.set)
        await asyncio.to_thread(self._thread.join, JOIN_SECONDS)

    def _run(self) -> None:
        try:
            asyncio.run(self._watch())
        except Exception:
            log.exception("kopf_ended")

    async def _watch(self) -> None:
        # Not a threading.Event: kopf would wait for it in an executor's thread, for
        # which asyncio waits at the end of the loop, long after kopf itself ended.
        self._stop = asyncio.Event()
        self._loop = asyncio.get_running_loop()
        self._loop.call_soon(self._keep_beating)
        self._began.set()
        try:
            await watch_hubs(self._registry, self._namespaces, self._stop)
        finally:
            await let_close()

    def _keep_beating(self) -> None:
        self._beat = time.monotonic()
        self._loop.call_later(BEAT_SECONDS, self._keep_beating)


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
