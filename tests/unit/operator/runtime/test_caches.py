"""How often hubs are listed again."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

from mcphub_operator.cache.hubs import HubCache
from mcphub_operator.errors import NotServed
from mcphub_operator.runtime.caches import keep_hubs_listed
from tests.support.virtual_time import in_virtual_time, now

HOUR = 3600.0


class FailingApi:
    """Refuses every list until a time."""

    def __init__(self, until: float) -> None:
        self.until = until
        self.asked: list[float] = []

    async def list_items(self, *_: object) -> AsyncIterator[dict[str, Any]]:
        self.asked.append(now())
        if now() < self.until:
            raise NotServed(404, "NotFound", "the server could not find the resource")
        for item in ():
            yield item


async def listen(api: FailingApi, seconds: float) -> None:
    hubs = HubCache(lambda _: None, lambda _: None)
    wanted = asyncio.Event()
    wanted.set()
    any_api: Any = api
    task = asyncio.create_task(
        keep_hubs_listed(any_api, hubs, lambda: (None,), wanted, HOUR)
    )
    await asyncio.sleep(seconds)
    task.cancel()


@in_virtual_time
async def test_a_list_that_fails_is_made_again_later_and_later():
    api = FailingApi(until=HOUR)

    await listen(api, 600.0)

    assert api.asked[:3] == [1.0, 3.0, 7.0]
    assert len(api.asked) < 600 / 10 + 6


@in_virtual_time
async def test_a_list_that_succeeds_ends_it():
    api = FailingApi(until=2.0)

    await listen(api, 600.0)

    assert api.asked == [1.0, 3.0]
