"""A caller gets a share of the event loop's time for messages and refusals."""

import asyncio
from itertools import pairwise

from mcphub_server.web import throttle
from mcphub_server.web.caller import Client, enter_client
from mcphub_server.web.throttle import (
    FREE_SECONDS,
    LONGEST_WAIT_SECONDS,
    LOOP_SHARE,
    REFUSAL_SECONDS,
    Throttle,
)
from tests.support.virtual_time import in_virtual_time, now


async def spend_as(principal: str, spending: Throttle, seconds: float) -> float:
    """Spend, and return when that was possible."""
    enter_client(Client(principal=principal))
    await spending.spend(seconds)
    return now()


@in_virtual_time
async def test_what_is_free_is_spent_at_once():
    spending = Throttle()

    for _ in range(10):
        await spending.spend(FREE_SECONDS / 10)

    assert now() == 0


@in_virtual_time
async def test_beyond_it_each_message_waits_for_a_moment_of_its_own():
    spending = Throttle()
    await spend_as("a", spending, FREE_SECONDS)

    times = await asyncio.gather(*(spend_as("a", spending, 0.01) for _ in range(4)))

    steps = [later - earlier for earlier, later in pairwise(times)]
    assert [round(step, 6) for step in steps] == [round(0.01 / LOOP_SHARE, 6)] * 3


@in_virtual_time
async def test_another_caller_does_not_wait():
    spending = Throttle()
    busy = [asyncio.create_task(spend_as("a", spending, 0.05)) for _ in range(8)]

    at = await asyncio.create_task(spend_as("b", spending, 0.01))

    assert at == 0
    await asyncio.gather(*busy)


@in_virtual_time
async def test_who_would_wait_too_long_is_told_after_the_longest_wait():
    spending = Throttle()
    await spending.spend(FREE_SECONDS + (LONGEST_WAIT_SECONDS + 1) * LOOP_SHARE)

    is_admitted = await spending.spend(0.01)

    assert not is_admitted
    assert now() == LONGEST_WAIT_SECONDS
    assert await spending.spend(0.01)


@in_virtual_time
async def test_a_rest_saves_up_no_more_than_what_is_free():
    spending = Throttle()
    await spending.spend(FREE_SECONDS)
    await asyncio.sleep(3_600)  # an hour of virtual time
    began = now()

    await spending.spend(FREE_SECONDS)
    await spending.spend(0.01)
    await spending.spend(0.01)

    assert now() - began > 0


@in_virtual_time
async def test_refusals_in_a_row_come_more_and_more_slowly():
    spending = Throttle()
    free = round(FREE_SECONDS / REFUSAL_SECONDS)

    for _ in range(free):
        await spending.spend_refusal()
    first = now()
    for _ in range(10):
        await spending.spend_refusal()

    assert first == 0
    assert now() > 8 * REFUSAL_SECONDS / LOOP_SHARE


@in_virtual_time
async def test_the_longest_unused_caller_is_forgotten(monkeypatch):
    monkeypatch.setattr(throttle, "MOST_CALLERS", 2)
    spending = Throttle()

    for principal in ("a", "b", "c"):
        await spend_as(principal, spending, 0.01)

    assert spending.count_callers() == 2
