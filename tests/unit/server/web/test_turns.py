"""Requests of a caller begin one by one; other callers' do not wait for them."""

import asyncio

import pytest

from mcphub_server.web.turns import Turns

ANN, BEN = ("ann", ""), ("ben", "")


async def take(turns: Turns, share: tuple[str, str], name: str, log: list[str]) -> None:
    await turns.wait(share)
    log.append(name)


async def test_a_flood_lets_another_caller_in_after_one_request():
    turns, log = Turns(), list[str]()
    flood = [asyncio.create_task(take(turns, ANN, f"ann{i}", log)) for i in range(50)]
    await asyncio.sleep(0)

    other = asyncio.create_task(take(turns, BEN, "ben", log))
    await asyncio.gather(*flood, other)

    assert log.index("ben") <= 3
    assert [name for name in log if name != "ben"] == [f"ann{i}" for i in range(50)]


async def test_a_single_request_begins_at_once():
    turns, log = Turns(), list[str]()

    with pytest.raises(StopIteration):
        take(turns, ANN, "ann", log).send(None)

    assert log == ["ann"]


async def test_each_turn_of_the_loop_begins_one():
    turns, log = Turns(), list[str]()
    flood = [asyncio.create_task(take(turns, ANN, f"ann{i}", log)) for i in range(8)]
    begun: list[int] = []

    while len(log) < len(flood):
        before = len(log)
        await asyncio.sleep(0)
        begun.append(len(log) - before)

    assert max(begun) == 1


async def test_a_request_whose_client_left_takes_no_turn():
    turns, log = Turns(), list[str]()
    flood = [asyncio.create_task(take(turns, ANN, f"ann{i}", log)) for i in range(4)]
    await asyncio.sleep(0)

    flood[1].cancel()
    await asyncio.gather(*flood, return_exceptions=True)

    assert log == ["ann0", "ann2", "ann3"]


async def test_callers_that_are_done_are_forgotten():
    turns = Turns()
    for number in range(100):
        await turns.wait((f"caller{number}", ""))

    await asyncio.sleep(0)
    await asyncio.sleep(0)

    assert not turns._queues
