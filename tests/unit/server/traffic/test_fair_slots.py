"""Slots are shared between callers, not between calls."""

import asyncio

import pytest

from mcphub_server.traffic.fair_slots import FairSlots
from mcphub_server.web.caller import Client, find_share
from tests.support.virtual_time import in_virtual_time, now

CALL_SECONDS = 10.0


async def pass_time(seconds: float) -> None:
    await asyncio.sleep(seconds)  # of virtual time


async def hold(
    slots: FairSlots, key: str, ended: list[str], seconds: float = CALL_SECONDS
) -> None:
    async with slots.hold(key, 1000.0):
        await pass_time(seconds)
        ended.append(key)


def start(group: asyncio.TaskGroup, slots: FairSlots, keys: str) -> list[str]:
    """Start one call for each letter; return the letters of those that ended."""
    ended: list[str] = []
    for key in keys:
        group.create_task(hold(slots, key, ended))
    return ended


@in_virtual_time
async def test_one_callers_long_calls_leave_a_slot_to_another() -> None:
    slots, ended = FairSlots(3), []
    async with asyncio.TaskGroup() as group:
        start(group, slots, "aaaaaa")
        await pass_time(1)
        await hold(slots, "b", ended, seconds=0.5)
        assert now() == pytest.approx(1.5)


@in_virtual_time
async def test_a_single_call_passes_twelve_hundred_of_another() -> None:
    slots, ended = FairSlots(64), []
    async with asyncio.TaskGroup() as group:
        flood = start(group, slots, "a" * 1200)
        await pass_time(1)
        await hold(slots, "b", ended, seconds=0)
        assert now() == pytest.approx(1)
        assert not flood


@in_virtual_time
async def test_waiting_callers_take_turns() -> None:
    slots = FairSlots(1)
    async with asyncio.TaskGroup() as group:
        ended = start(group, slots, "aaaaabbc")
    assert "".join(ended) == "abcabaaa"


@in_virtual_time
async def test_who_holds_least_comes_first() -> None:
    """Two callers that ask for all end up with the same share."""
    slots = FairSlots(5)
    async with asyncio.TaskGroup() as group:
        start(group, slots, "a" * 20)
        await pass_time(1)
        start(group, slots, "b" * 20)
        await pass_time(35)
        assert slots.count_held("a") == slots.count_held("b") == 2


@in_virtual_time
async def test_the_only_slot_is_anyones() -> None:
    slots, ended = FairSlots(1), []

    await hold(slots, "a", ended)

    assert ended == ["a"]


@in_virtual_time
async def test_the_last_slot_goes_to_a_caller_without_one() -> None:
    slots = FairSlots(2)
    async with asyncio.TaskGroup() as group:
        ended = start(group, slots, "aab")
        await pass_time(15)
        assert sorted(ended) == ["a", "b"]
    assert now() == 2 * CALL_SECONDS


@in_virtual_time
async def test_who_waits_too_long_gets_a_timeout_and_leaves_no_trace() -> None:
    slots = FairSlots(1)
    async with asyncio.TaskGroup() as group:
        start(group, slots, "a")
        await pass_time(0)
        with pytest.raises(TimeoutError):
            async with slots.hold("b", 2.0):
                pass
    assert now() == CALL_SECONDS
    assert (slots.count_held("a"), slots.count_held("b"), slots.waiting) == (0, 0, 0)


@in_virtual_time
async def test_a_timeout_of_the_call_itself_is_no_wait() -> None:
    slots = FairSlots(1)

    with pytest.raises(TimeoutError, match="own"):
        async with slots.hold("a", 1.0):
            raise TimeoutError("own")

    assert slots.count_held("a") == 0


@in_virtual_time
async def test_a_caller_who_goes_in_the_moment_of_its_turn_passes_it_on() -> None:
    slots, ended = FairSlots(1), []
    async with asyncio.TaskGroup() as group:
        start(group, slots, "a")
        await pass_time(0)
        leaving = group.create_task(hold(slots, "b", ended))
        group.create_task(hold(slots, "c", ended))
        await pass_time(CALL_SECONDS)
        leaving.cancel()
    assert ended == ["c"]
    assert slots.count_held("c") == 0


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        pytest.param(
            Client("alice", "10.0.0.1"),
            Client("alice", "10.0.0.2"),
            True,
            id="a principal from two addresses",
        ),
        pytest.param(
            Client("alice", "10.0.0.1", session="1"),
            Client("alice", "10.0.0.1", session="2"),
            True,
            id="a principal with two sessions",
        ),
        pytest.param(
            Client("alice", "10.0.0.1"),
            Client("bob", "10.0.0.1"),
            False,
            id="two principals behind one address",
        ),
        pytest.param(
            Client(address="10.0.0.1"),
            Client(address="10.0.0.2"),
            False,
            id="two addresses without auth",
        ),
        pytest.param(
            Client(address="10.0.0.1", session="1"),
            Client(address="10.0.0.1", session="2"),
            True,
            id="two sessions of one address without auth",
        ),
    ],
)
def test_whose_share_a_call_is_of(one: Client, other: Client, same: bool) -> None:  # noqa: FBT001
    assert (find_share(one) == find_share(other)) is same
