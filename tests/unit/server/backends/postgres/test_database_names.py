"""The names of a database's users are asked for by one call, and then kept."""

import asyncio
from collections.abc import Sequence
from typing import Any

import pytest

from mcphub_server.backends.postgres.names import (
    GRACE_SECONDS,
    KEPT_SECONDS,
    DatabaseNames,
)
from mcphub_server.guards.sql.check import check_sql
from mcphub_server.guards.sql.user_defined_names import QUERY

STATEMENT = check_sql("SELECT 1", 0)


class Database:
    """Answers the question for names once it may; counts who asks."""

    def __init__(self) -> None:
        self.count = 0
        self.fails = False
        self.answers = asyncio.Event()
        self.answers.set()

    async def fetch(self, sql: str, *_arguments: object) -> Sequence[Any]:
        assert sql == QUERY
        self.count += 1
        await self.answers.wait()
        if self.fails:
            raise ConnectionError
        return []


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def names(clock: Clock) -> DatabaseNames:
    return DatabaseNames(clock=clock)


async def test_names_are_kept_for_a_while(names: DatabaseNames, clock: Clock):
    database = Database()

    for _ in range(3):
        await names.check(database.fetch, STATEMENT)
    assert database.count == 1

    clock.now += KEPT_SECONDS
    await names.check(database.fetch, STATEMENT)
    assert database.count == 2


async def test_calls_do_not_wait_while_another_asks_again(
    names: DatabaseNames, clock: Clock
):
    database = Database()
    await names.check(database.fetch, STATEMENT)
    clock.now += KEPT_SECONDS
    database.answers.clear()
    asking = asyncio.create_task(names.check(database.fetch, STATEMENT))
    await asyncio.sleep(0)

    await names.check(database.fetch, STATEMENT)

    assert (database.count, asking.done()) == (2, False)
    database.answers.set()
    await asking


async def test_names_are_not_believed_beyond_the_grace(
    names: DatabaseNames, clock: Clock
):
    database = Database()
    await names.check(database.fetch, STATEMENT)
    clock.now += KEPT_SECONDS
    database.answers.clear()
    asking = asyncio.create_task(names.check(database.fetch, STATEMENT))
    await asyncio.sleep(0)
    clock.now += GRACE_SECONDS

    late = asyncio.create_task(names.check(database.fetch, STATEMENT))
    await asyncio.sleep(0)

    assert (database.count, late.done()) == (3, False)
    database.answers.set()
    await asyncio.gather(asking, late)


async def test_the_next_call_asks_after_one_that_failed(
    names: DatabaseNames, clock: Clock
):
    database = Database()
    await names.check(database.fetch, STATEMENT)
    clock.now += KEPT_SECONDS
    database.fails = True
    with pytest.raises(ConnectionError):
        await names.check(database.fetch, STATEMENT)

    database.fails = False
    await names.check(database.fetch, STATEMENT)

    assert database.count == 3
