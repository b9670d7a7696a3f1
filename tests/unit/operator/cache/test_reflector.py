"""What a reflector makes of the events of its watch."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from types import SimpleNamespace
from typing import Any

import pytest
from structlog.testing import capture_logs

from mcphub_operator.cache.reflector import Reflector, Scope
from mcphub_operator.client.api import Page
from mcphub_operator.client.kinds import CONFIG_MAP
from mcphub_operator.errors import Unavailable, build_api_error
from tests.support.virtual_time import in_virtual_time
from tests.support.waiting import wait_until


class ToldApi:
    """An API server that has nothing listed, and these events to tell."""

    def __init__(self, events: list[dict[str, Any]]) -> None:
        self._events = events

    async def ask_pages(self, _call: Any) -> AsyncIterator[Page]:
        yield Page({"resourceVersion": "10"})

    @asynccontextmanager
    async def stream(self, _call: Any, _limits: Any) -> AsyncIterator[Any]:
        async def tell() -> AsyncIterator[bytes]:
            for event in self._events:
                yield json.dumps(event).encode() + b"\n"
            await asyncio.Event().wait()

        yield SimpleNamespace(content=SimpleNamespace(iter_any=tell))


class Names:
    """A sink that knows what there is."""

    def __init__(self) -> None:
        self.there: set[str] = set()

    def upsert(self, item: dict[str, Any]) -> None:
        self.there.add(item["metadata"]["name"])

    def remove(self, item: dict[str, Any]) -> None:
        self.there.discard(item["metadata"]["name"])

    def replace(self, _namespace: Any, _found: Any) -> None:
        self.there.clear()


def event(kind: str, name: str, version: int) -> dict[str, Any]:
    metadata = {"namespace": "ai", "name": name, "resourceVersion": str(version)}
    return {"type": kind, "object": {"metadata": metadata}}


@pytest.mark.parametrize(
    ("events", "left"),
    [
        pytest.param(
            [event("ADDED", "a", 11), event("ADDED", "b", 12)],
            {"a", "b"},
            id="what came is there",
        ),
        pytest.param(
            [event("ADDED", "a", 11), event("DELETED", "a", 12)],
            set(),
            id="what went is gone",
        ),
        pytest.param(
            [
                event("ADDED", "a", 11),
                event("DELETED", "a", 12),
                event("ADDED", "a", 11),
            ],
            set(),
            id="an old event delivered again brings nothing back",
        ),
        pytest.param(
            [event("ADDED", "a", 13), event("DELETED", "a", 12)],
            {"a"},
            id="an old deletion delivered again ends nothing",
        ),
    ],
)
async def test_a_watch_is_followed(events: list[dict[str, Any]], left: set[str]):
    sink, last = Names(), event("ADDED", "last", 99)
    api: Any = ToldApi([*events, last])
    following = asyncio.create_task(
        Reflector(api, Scope(CONFIG_MAP, "ai"), sink, 600).run()
    )

    await wait_until(lambda: "last" in sink.there)

    following.cancel()
    assert sink.there == left | {"last"}


class RefusingApi(ToldApi):
    """An API server that refuses every list."""

    def __init__(self) -> None:
        super().__init__([])
        self.asked = 0

    async def ask_pages(self, _call: Any) -> AsyncIterator[Page]:
        self.asked += 1
        raise build_api_error(403, {"message": "configmaps is forbidden"})
        yield


async def test_what_is_refused_again_and_again_is_said_once(
    monkeypatch: pytest.MonkeyPatch,
):
    monkeypatch.setattr("mcphub_operator.cache.reflector.LONGEST_DELAY_SECONDS", 0.01)
    api = RefusingApi()
    with capture_logs() as logs:
        task = asyncio.create_task(Reflector(api, Scope(CONFIG_MAP), Names(), 60).run())
        await wait_until(lambda: api.asked > 3)
        task.cancel()

    assert [(line["event"], line["namespace"]) for line in logs] == [
        ("list_failed", "all")
    ]


class QuietApi(ToldApi):
    """An API server that has no event to tell, and no bookmark either."""

    def __init__(self) -> None:
        super().__init__([])
        self.lists = 0

    async def ask_pages(self, _call: Any) -> AsyncIterator[Page]:
        self.lists += 1
        yield Page({"resourceVersion": "10"})

    @asynccontextmanager
    async def stream(self, call: Any, limits: Any) -> AsyncIterator[Any]:
        lasts = float(call.params["timeoutSeconds"])

        async def tell() -> AsyncIterator[bytes]:
            await asyncio.sleep(min(lasts, limits.sock_read))
            if limits.sock_read <= lasts:
                raise Unavailable(0, "SocketTimeoutError", "no answer in time")
            for nothing in ():
                yield nothing

        yield SimpleNamespace(content=SimpleNamespace(iter_any=tell))


@in_virtual_time
async def test_d37_a_quiet_watch_is_renewed_without_a_word_and_without_a_list():
    api: Any = QuietApi()
    with capture_logs() as logs:
        task = asyncio.create_task(
            Reflector(api, Scope(CONFIG_MAP, "ai"), Names(), 7200).run()
        )
        await asyncio.sleep(1800)  # in virtual time
        task.cancel()

    assert logs == []
    assert api.lists == 1
