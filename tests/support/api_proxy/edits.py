"""What can go wrong with the events of a watch.

An edit takes the events that the API server sends on one watch and gives those that the
operator gets. Each is asked for every event whether it should act, so that a fault
can end while the watch lives on.
"""

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import suppress
from typing import Any

from tests.support.api_proxy.request_info import RequestInfo

Event = dict[str, Any]
Events = AsyncIterator[Event]
Edited = AsyncGenerator[Event, None]
Edit = Callable[[RequestInfo, Events], Edited]
Whether = Callable[[RequestInfo, Event], bool]

REMEMBERED = 50


async def pass_on(_info: RequestInfo, events: Events) -> Edited:
    """Change nothing."""
    async for event in events:
        yield event


def dropping(whether: Whether) -> Edit:
    """Lose events."""

    async def edit(info: RequestInfo, events: Events) -> Edited:
        async for event in events:
            if not whether(info, event):
                yield event

    return edit


def delaying(seconds: float, whether: Whether) -> Edit:
    """Bring events late, one after the other."""

    async def edit(info: RequestInfo, events: Events) -> Edited:
        async for event in events:
            if whether(info, event):
                await asyncio.sleep(seconds)
            yield event

    return edit


def holding(gate: asyncio.Event, whether: Whether) -> Edit:
    """Keep events back until a gate is open."""

    async def edit(info: RequestInfo, events: Events) -> Edited:
        async for event in events:
            if whether(info, event):
                await gate.wait()
            yield event

    return edit


def replaying(step: int, whether: Whether) -> Edit:
    """Tell something old once more behind every so manieth event."""

    async def edit(info: RequestInfo, events: Events) -> Edited:
        past: deque[Event] = deque(maxlen=REMEMBERED)
        count = 0
        async for event in events:
            yield event
            if event["type"] == "BOOKMARK" or not whether(info, event):
                continue
            past.append(event)
            count += 1
            if count % step == 0:
                yield past[0]
                past.rotate(-1)

    return edit


def expiring(step: int, whether: Whether) -> Edit:
    """Say in every so manieth event that the watch's place in history is gone."""

    async def edit(info: RequestInfo, events: Events) -> Edited:
        count = 0
        async for event in events:
            count += whether(info, event)
            if count and count % step == 0:
                yield GONE
                return
            yield event

    return edit


GONE: Event = {
    "type": "ERROR",
    "object": {
        "kind": "Status",
        "apiVersion": "v1",
        "status": "Failure",
        "reason": "Expired",
        "message": "too old resource version (injected)",
        "code": 410,
    },
}


def coalescing(seconds: float, whether: Whether) -> Edit:
    """Collect events for a while and bring only the last of each object."""

    async def edit(info: RequestInfo, events: Events) -> Edited:
        arrived: asyncio.Queue[Event | None] = asyncio.Queue()
        feeding = asyncio.create_task(_feed(events, arrived))
        try:
            while (event := await arrived.get()) is not None:
                if not whether(info, event):
                    yield event
                    continue
                await asyncio.sleep(seconds)
                for last in _latest(event, arrived):
                    yield last
        finally:
            feeding.cancel()
            with suppress(asyncio.CancelledError):
                await feeding

    return edit


async def _feed(events: Events, arrived: "asyncio.Queue[Event | None]") -> None:
    try:
        async for event in events:
            arrived.put_nowait(event)
    finally:
        arrived.put_nowait(None)


def _latest(event: Event, arrived: "asyncio.Queue[Event | None]") -> list[Event]:
    latest = {_name(event): event}
    while not arrived.empty():
        more = arrived.get_nowait()
        if more is None:
            arrived.put_nowait(None)
            break
        latest.pop(_name(more), None)
        latest[_name(more)] = more
    return list(latest.values())


def _name(event: Event) -> tuple[str, str]:
    metadata = event["object"].get("metadata") or {}
    return metadata.get("namespace", ""), metadata.get("name", "")
