"""Ends a replica without a failed call, as far as its clients allow.

After SIGTERM requests keep arriving: Kubernetes removes endpoints late, and clients
keep connections. So the listener stays open to the end, every response asks the client
for a new connection, and idle connections stay open for longer than clients keep them.
A stream ends once no request is pending on it. One whose client never pauses takes no
more calls after a while, so that each one that it took is answered; later ones get an
error when it ends.
"""

import asyncio

import structlog
from sse_starlette.sse import AppStatus

from mcphub_server.traffic.state import ServerState
from mcphub_server.traffic.streams import Stream

STREAM_GRACE_SECONDS = 0.3
"""The last response on a stream must reach its client before the stream ends."""

UNCONNECTED_SECONDS = 2.0
"""After so long without a connection, no client is left to wait for."""

LONGEST_CALL_SECONDS = 45.0
LONGEST_DRAIN_SECONDS = 48.0
"""Kubernetes kills the pod after 55."""

PATIENCE_SECONDS = LONGEST_DRAIN_SECONDS - LONGEST_CALL_SECONDS
"""How long a stream takes requests: the last of them still ends in time."""

POLL_SECONDS = 0.05

log = structlog.get_logger(__name__)


def keep_streams_at_shutdown() -> None:
    """Stop sse-starlette from cutting every stream half a second after SIGTERM."""
    AppStatus.enable_automatic_graceful_drain = False
    AppStatus.should_exit = False


async def drain(state: ServerState, linger_seconds: float) -> None:
    """Return when closing the listeners loses nothing."""
    state.begin_draining()
    log.info("draining", calls=state.calls, streams=state.streams)
    try:
        async with asyncio.timeout(LONGEST_DRAIN_SECONDS):
            async with asyncio.TaskGroup() as group:
                group.create_task(end_streams(state))
                group.create_task(linger(state, linger_seconds))
            await wait_until_idle(state)
    except TimeoutError:
        log.warning("drain timed out", calls=state.calls, streams=state.streams)
        await cut_streams(state)
    AppStatus.should_exit = True


async def wait_until_idle(state: ServerState) -> None:
    """Return once nothing has run, waited or streamed for a moment."""
    while not state.is_idle(STREAM_GRACE_SECONDS):  # noqa: ASYNC110 -- time passes
        await asyncio.sleep(POLL_SECONDS)


async def linger(state: ServerState, seconds: float) -> None:
    """Wait for idle clients to drop their connections by themselves.

    That takes so long from the last response that did not ask its client for a new
    connection. Closing one under a client's next request loses that request.
    """
    loop = asyncio.get_running_loop()
    connected_at = loop.time()
    while not state.is_idle(0) or state.count_kept_seconds() < seconds:
        if state.count_connections():
            connected_at = loop.time()
        if loop.time() - connected_at >= UNCONNECTED_SECONDS:
            return
        await asyncio.sleep(POLL_SECONDS)


async def end_streams(state: ServerState) -> None:
    """End each stream at its first idle moment, until none is left."""
    loop = asyncio.get_running_loop()
    begun = loop.time()
    while state.open_streams:
        is_late = loop.time() - begun >= PATIENCE_SECONDS
        for stream in list(state.open_streams):
            stream.closing = stream.closing or is_late
            if stream.is_idle(STREAM_GRACE_SECONDS):
                stream.ended.set()
        await asyncio.sleep(POLL_SECONDS)


async def cut_streams(state: ServerState) -> None:
    """End the streams with pending requests; each request gets an error."""
    streams: list[Stream] = list(state.open_streams)
    for stream in streams:
        stream.ended.set()
    await asyncio.sleep(STREAM_GRACE_SECONDS)
