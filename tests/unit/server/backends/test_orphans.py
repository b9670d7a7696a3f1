"""Statements that outlive their calls keep their callers' places until they end."""

import asyncio
from collections.abc import Set as AbstractSet

import pytest

from mcphub_server.backends.orphans import Orphans
from mcphub_server.backends.shares import PoolShares
from mcphub_server.errors import LimitExceeded
from mcphub_server.web.caller import Client, enter_client

POOL = 3


class Server:
    """Says which statements run; None while it says nothing."""

    def __init__(self) -> None:
        self.running: set[int] | None = set()
        self.questions = 0
        self.asked = asyncio.Event()

    async def find_running(self, keys: AbstractSet[int]) -> frozenset[int] | None:
        self.questions += 1
        self.asked.set()
        return None if self.running is None else frozenset(self.running & keys)


class Pool:
    """What a backend makes of the two."""

    def __init__(self) -> None:
        self.server = Server()
        self.shares = PoolShares("graph", POOL)
        self.orphans = Orphans(self.server.find_running, self.shares)

    async def run(self, key: int, *, goes_on: bool | None, caller: str = "a") -> bool:
        """Run one statement; say whether it counts as running after the cut."""
        enter_client(Client(caller))
        await self.orphans.release()
        async with self.shares.hold(0) as lease:
            if goes_on is None:
                self.server.running = None
            elif goes_on and self.server.running is not None:
                self.server.running.add(key)
            return await self.orphans.take(key, lease)


async def test_statements_that_go_on_fill_no_more_than_one_callers_share() -> None:
    pool = Pool()

    known = [await pool.run(key, goes_on=True) for key in (1, 2)]

    assert known == [True, True]
    with pytest.raises(LimitExceeded):
        await pool.run(3, goes_on=True)
    assert not await pool.run(4, goes_on=False, caller="b")


async def test_a_statement_that_ends_gives_its_place_back() -> None:
    pool = Pool()
    for key in (1, 2):
        await pool.run(key, goes_on=True)

    pool.server.running = {2}

    assert not await pool.run(3, goes_on=False)


async def test_a_statement_that_has_ended_at_the_cut_keeps_nothing() -> None:
    pool = Pool()

    for key in range(10):
        assert not await pool.run(key, goes_on=False)


async def test_without_an_answer_the_place_is_kept() -> None:
    pool = Pool()

    assert not await pool.run(1, goes_on=None)
    assert not await pool.run(2, goes_on=None)

    with pytest.raises(LimitExceeded):
        await pool.run(3, goes_on=None)


async def test_a_caller_with_room_asks_nothing() -> None:
    pool = Pool()
    await pool.run(1, goes_on=True)
    asked = pool.server.questions

    await pool.orphans.release()

    assert pool.server.questions == asked


async def test_a_statement_that_ends_between_two_questions_is_waited_for() -> None:
    pool = Pool()
    for key in (1, 2):
        await pool.run(key, goes_on=True)
    pool.server.asked.clear()

    async with asyncio.TaskGroup() as group:
        call = group.create_task(pool.run(3, goes_on=False))
        await pool.server.asked.wait()
        pool.server.running = set()

    assert call.result() is False


async def test_a_place_is_given_back_once_though_two_ask() -> None:
    shares = PoolShares("graph", POOL)
    both = asyncio.Barrier(2)

    async def find(_keys: AbstractSet[int]) -> frozenset[int]:
        await both.wait()
        return frozenset()

    orphans: Orphans[int] = Orphans(find, shares)

    async def take() -> None:
        enter_client(Client("a"))
        async with shares.hold(0), shares.hold(0) as lease:
            await orphans.take(1, lease)

    async def release() -> None:
        enter_client(Client("a"))
        await orphans.release()

    async with asyncio.TaskGroup() as group:
        group.create_task(take())
        group.create_task(release())

    enter_client(Client("a"))
    assert shares.has_room()


async def test_the_hubs_own_question_that_was_cut_keeps_nothing() -> None:
    pool = Pool()
    pool.server.running = None

    for key in range(POOL + 1):
        async with pool.shares.hold(0) as lease:
            await pool.orphans.take_abandoned(key, lease)

    assert pool.shares.has_room()
    assert not pool.server.questions


async def test_a_call_that_is_cancelled_while_it_asks_keeps_its_place() -> None:
    shares = PoolShares("graph", POOL)
    asked = asyncio.Event()

    async def hang(_keys: AbstractSet[int]) -> None:
        asked.set()
        await asyncio.Event().wait()

    orphans: Orphans[int] = Orphans(hang, shares)

    async def run(key: int) -> None:
        enter_client(Client("a"))
        async with shares.hold(0) as lease:
            await orphans.take(key, lease)

    for key in (1, 2):
        asked.clear()
        call = asyncio.create_task(run(key))
        await asked.wait()
        call.cancel()
        with pytest.raises(asyncio.CancelledError):
            await call

    enter_client(Client("a"))
    assert not shares.has_room()
