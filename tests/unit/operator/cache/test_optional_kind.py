"""Discovery is asked for a kind only while a hub asks for it."""

import asyncio
from typing import Any

from mcphub_operator.cache.optional_kind import OptionalKind
from mcphub_operator.client.kinds import HTTP_ROUTE
from mcphub_operator.errors import NotServed
from tests.support.virtual_time import in_virtual_time, now


class Discovery:
    """Knows HTTPRoutes from a time on."""

    def __init__(self, since: float) -> None:
        self.since = since
        self.asked: list[float] = []

    async def get_path(self, path: str) -> dict[str, Any]:
        assert path == "/apis/gateway.networking.k8s.io/v1"
        self.asked.append(now())
        if now() < self.since:
            raise NotServed(404, "NotFound", "the server could not find the resource")
        return {"resources": [{"name": "httproutes"}]}


def build(discovery: Discovery, *, wanted: bool, changes: list[bool]) -> OptionalKind:
    api: Any = discovery
    kind = OptionalKind(
        api, HTTP_ROUTE, lambda: wanted, lambda: changes.append(kind.is_served)
    )
    return kind


@in_virtual_time
async def test_it_is_found_within_one_period():
    discovery = Discovery(since=25.0)
    kind = build(discovery, wanted=True, changes=[])

    await kind.wait_served()

    assert discovery.asked == [10.0, 20.0, 30.0]


@in_virtual_time
async def test_it_is_not_asked_for_while_no_hub_wants_it():
    discovery = Discovery(since=0.0)
    kind = build(discovery, wanted=False, changes=[])

    task = asyncio.create_task(kind.wait_served())
    await asyncio.sleep(600.0)  # of virtual time
    task.cancel()

    assert discovery.asked == []


@in_virtual_time
async def test_its_end_is_told_only_after_a_second_look():
    changes: list[bool] = []
    kind = build(Discovery(since=15.0), wanted=True, changes=changes)
    kind.note(served=True)
    brief = build(Discovery(since=5.0), wanted=True, changes=[])
    brief.note(served=True)

    await kind.wait_served()
    await brief.wait_served()

    assert changes == [True, False]
    assert brief.is_served
