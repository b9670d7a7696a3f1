"""A loop in which hours pass at once, and none pass while there is work."""

import asyncio

import pytest

from tests.support.virtual_time import in_virtual_time, now


@in_virtual_time
async def test_timers_fire_in_their_order_and_at_their_time() -> None:
    fired = []

    async def fire(after: float) -> None:
        await asyncio.sleep(after)
        fired.append((after, now()))

    await asyncio.gather(*(fire(after) for after in (7200, 60, 3600)))

    assert fired == [(60, 60), (3600, 3600), (7200, 7200)]


@in_virtual_time
async def test_a_timeout_ends_what_waits_for_ever() -> None:
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(3600):
            await asyncio.Event().wait()


@in_virtual_time
async def test_no_time_passes_while_tasks_run() -> None:
    for _ in range(1_000):
        await asyncio.sleep(0)

    assert now() == 0


@pytest.fixture
def answer() -> int:
    return 42


@pytest.mark.parametrize("word", ["one", "two"])
@in_virtual_time
async def test_fixtures_and_parameters_arrive(answer: int, word: str) -> None:
    assert (answer, len(word)) == (42, 3)
