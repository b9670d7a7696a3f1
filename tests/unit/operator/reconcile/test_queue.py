"""The queue: nothing twice at work, nothing lost, nothing queued twice."""

import asyncio
import time

import pytest

from mcphub_operator.observed import HubKey
from mcphub_operator.reconcile.queue import WorkQueue

A, B, C = HubKey("ns", "a"), HubKey("ns", "b"), HubKey("ns", "c")


@pytest.fixture
def queue() -> WorkQueue:
    return WorkQueue(time.monotonic)


async def test_a_hub_that_is_added_often_waits_once(queue: WorkQueue):
    for _ in range(3):
        queue.add(A)
    queue.add(B)

    assert [await queue.take(), await queue.take()] == [A, B]
    assert len(queue) == 0


async def test_a_hub_is_not_taken_while_it_is_at_work(queue: WorkQueue):
    queue.add(A)
    await queue.take()

    queue.add(A)
    queue.add(B)

    assert await queue.take() == B


async def test_a_hub_that_changed_while_at_work_is_taken_again(queue: WorkQueue):
    queue.add(A)
    await queue.take()
    queue.add(A)

    queue.done(A)

    assert await queue.take() == A


async def test_a_finished_hub_does_not_come_back_by_itself(queue: WorkQueue):
    queue.add(A)
    await queue.take()
    queue.done(A)

    assert len(queue) == 0


async def test_a_changed_hub_is_taken_before_the_operators_own_work(
    queue: WorkQueue,
):
    queue.add(A)
    queue.add(B)
    queue.add_first(C)
    queue.add_first(B)

    assert [await queue.take() for _ in range(3)] == [C, B, A]
    assert len(queue) == 0


async def test_a_hub_that_was_changed_while_at_work_keeps_its_precedence(
    queue: WorkQueue,
):
    queue.add(A)
    await queue.take()
    queue.add(B)
    queue.add_first(A)
    queue.add(A)

    queue.done(A)

    assert [await queue.take(), await queue.take()] == [A, B]


async def test_precedence_lasts_for_one_pass(queue: WorkQueue):
    queue.add_first(A)
    queue.done(await queue.take())
    queue.add(B)
    queue.add(A)

    assert [await queue.take(), await queue.take()] == [B, A]


async def test_idle_is_a_queue_with_nothing_waiting_at_work_or_put_off_shortly(
    queue: WorkQueue,
):
    assert queue.is_idle(1)
    queue.add(A)
    assert not queue.is_idle(1)
    await queue.take()
    assert not queue.is_idle(1)
    queue.done(A)
    assert queue.is_idle(1)
    queue.add_later(A, 60)
    assert queue.is_idle(1)
    assert not queue.is_idle(61)


async def test_of_several_times_for_later_the_earliest_counts(queue: WorkQueue):
    queue.add_later(A, 60)
    queue.add_later(A, 0.01)
    queue.add_later(A, 60)

    assert await queue.take() == A


async def test_a_time_for_later_can_be_taken_back(queue: WorkQueue):
    queue.add_later(A, 0.01)
    queue.cancel_later(A)
    queue.add_later(B, 0.02)

    assert await queue.take() == B


async def test_a_waiting_worker_wakes_for_new_work(queue: WorkQueue):
    taken = asyncio.create_task(queue.take())
    await asyncio.sleep(0)

    queue.add(A)

    assert await taken == A


async def test_the_age_of_the_queue_is_its_oldest_hubs():
    now = 100.0
    queue = WorkQueue(lambda: now)
    assert queue.oldest_seconds == 0

    queue.add(A)
    now = 107.0
    queue.add(B)

    assert queue.oldest_seconds == 7
