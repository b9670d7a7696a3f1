"""Guards that take long leave the event loop to others."""

import asyncio
import gc
import threading
import time

import pytest

from mcphub_server.errors import LimitExceeded, Rejected
from mcphub_server.guards.sql.check import check_sql
from mcphub_server.recent import RecentMap
from mcphub_server.tools import guarding
from mcphub_server.tools.guarding import LONGEST_AT_ONCE, GuardRunner
from mcphub_server.web.caller import Client, current_principal, enter_client
from tests.support.effort import at_most


def find_thread(_text: str, _count: int = 0) -> str:
    return threading.current_thread().name


async def test_a_short_text_is_checked_at_once():
    assert await GuardRunner().check(find_thread, "x", 0) == "MainThread"


async def test_a_long_text_is_checked_aside():
    text = "x" * (LONGEST_AT_ONCE + 1)

    assert (await GuardRunner().check(find_thread, text, 0)).startswith("guard")


@pytest.mark.parametrize("length", [LONGEST_AT_ONCE, LONGEST_AT_ONCE + 1])
async def test_what_passed_is_not_checked_again(length: int):
    runner, checked = GuardRunner(), []

    def check(text: str, count: int) -> int:
        checked.append(text)
        return count

    def check_more(_text: str, count: int) -> int:
        return count + 1

    counts = [1, 1, 2]
    found = [await runner.check(check, "x" * length, count) for count in counts]
    others = [await runner.check(check_more, "x" * length, 1)]
    others.append(await runner.check(check, "y" * length, 1))

    assert (found, others) == ([1, 1, 2], [2, 1])
    assert [len(checked), checked[-1]] == [3, "y" * length]


async def test_what_passed_aside_is_not_checked_again():
    runner, checked = GuardRunner(), []

    def check(text: str) -> str:
        checked.append(threading.current_thread().name)
        if text == "bad":
            raise Rejected("rule", "It is not allowed.", "Ask otherwise.")
        return text.upper()

    found = [await runner.check_known_aside(check, text) for text in ("a", "a", "b")]
    for _ in range(2):
        with pytest.raises(Rejected):
            await runner.check_known_aside(check, "bad")

    assert found == ["A", "A", "B"]
    assert [name[:5] for name in checked] == ["guard"] * 4


def test_few_results_are_kept_those_asked_for_last():
    checked = RecentMap[str, object](most=2)
    for key in ("a", "b"):
        checked.keep(key, key)

    found = checked.find("a")
    checked.keep("c", "c")

    assert found == "a"
    assert [checked.find(key) for key in ("a", "b", "c")] == ["a", None, "c"]


async def test_what_is_refused_is_checked_again():
    runner, seen = GuardRunner(), []

    def refuse(text: str, _count: int) -> None:
        seen.append(text)
        raise Rejected("rule", "problem.", "advice.")

    for _ in range(2):
        with pytest.raises(Rejected):
            await runner.check(refuse, "x", 0)

    assert seen == ["x", "x"]


async def test_one_worker_checks_for_all():
    runner = GuardRunner()

    names = await asyncio.gather(
        *(runner.check_aside(find_thread, "x") for _ in range(20))
    )

    assert len(set(names)) == 1


async def test_a_refusal_passes():
    def refuse(_text: str) -> None:
        raise Rejected("rule", "problem.", "advice.")

    with pytest.raises(Rejected):
        await GuardRunner().check_aside(refuse, "x")


async def test_the_loop_goes_on_meanwhile():
    going_on = threading.Event()

    def wait(_text: str) -> bool:
        return going_on.wait(10)

    checking = asyncio.create_task(GuardRunner().check_aside(wait, "x"))
    await asyncio.sleep(0)
    going_on.set()

    assert await checking


@pytest.mark.parametrize("length", [LONGEST_AT_ONCE, LONGEST_AT_ONCE + 1])
async def test_what_a_check_costs_is_charged_to_its_caller(length: int):
    charged: list[tuple[str, float]] = []
    runner = GuardRunner(lambda spent: charged.append((current_principal(), spent)))
    enter_client(Client(principal="a"))

    await runner.check(find_thread, "x" * length, 0)

    assert [principal for principal, _ in charged] == ["a"]
    assert charged[0][1] > 0


@pytest.mark.parametrize("length", [10, 1000], ids=["at once", "in the worker"])
async def test_garbage_collections_are_not_charged(length: int):
    heap = [[number] for number in range(300_000)]
    collections: list[float] = []
    charged: list[float] = []

    def collect(text: str, _count: int) -> str:
        began = time.thread_time()
        gc.collect()
        collections.append(time.thread_time() - began)
        return text

    await GuardRunner(charged.append).check(collect, "a" * length, len(heap))
    await asyncio.sleep(0)

    assert len(charged) == len(collections) == 1
    assert charged[0] < collections[0] / 2


async def test_a_check_whose_client_has_gone_is_charged_too():
    charged: list[float] = []
    loop, going_on = asyncio.get_running_loop(), threading.Event()
    started, charging = asyncio.Event(), asyncio.Event()

    def charge(spent: float) -> None:
        charged.append(spent)
        charging.set()

    def check() -> None:
        loop.call_soon_threadsafe(started.set)
        going_on.wait(10)

    checking = asyncio.create_task(GuardRunner(charge).check_aside(check))
    await started.wait()
    checking.cancel()
    going_on.set()

    await charging.wait()
    assert len(charged) == 1


COSTLY = {
    "sums": ("SELECT 1", "+1", ""),
    "letters outside ASCII": ("SELECT 1", ",é", ""),
    "an order": ("SELECT a FROM t ORDER BY a", ",a", ""),
    "columns": ("SELECT a", ",a", " FROM t"),
    "parentheses": ("SELECT ", "(1)+", "1"),
    "casts": ("SELECT 1", ",a::int", " FROM t"),
}


@pytest.mark.parametrize(("begin", "part", "end"), COSTLY.values(), ids=COSTLY)
def test_no_check_on_the_event_loop_takes_5_ms(begin: str, part: str, end: str):
    """A unit is some 3 ms; on average, and with a margin of two for a busy machine."""
    sql = begin + part * ((LONGEST_AT_ONCE - len(begin + end)) // len(part)) + end
    check_sql(sql, 0)
    with at_most(units=32):
        for _ in range(10):
            check_sql(sql, 0)


async def check_as(principal: str, runner: GuardRunner, text: str, done: list[str]):
    enter_client(Client(principal=principal))
    await runner.check_aside(done.append, text)


async def test_a_caller_with_many_statements_delays_only_their_own():
    runner, done = GuardRunner(), []

    async with asyncio.TaskGroup() as group:
        for _ in range(20):
            group.create_task(check_as("a", runner, "one of many", done))
        await asyncio.sleep(0)
        group.create_task(check_as("b", runner, "the only one", done))

    assert len(done) == 21
    assert done.index("the only one") <= 2


async def test_a_statement_that_gets_no_turn_says_when_to_try_again(monkeypatch):
    monkeypatch.setattr(guarding, "TURN_SECONDS", 0.01)
    runner, going_on = GuardRunner(), threading.Event()
    first = asyncio.create_task(runner.check_aside(going_on.wait, 10))
    await asyncio.sleep(0)

    with pytest.raises(LimitExceeded) as caught:
        await runner.check_aside(find_thread, "x")
    going_on.set()

    assert caught.value.retry_after_seconds == 1.0
    assert await first
    assert await runner.check_aside(find_thread, "x")


async def test_the_deepest_texts_fit_the_workers_stack():
    usual = threading.stack_size(1024 * 1024)
    try:
        with pytest.raises(Rejected, match="nests"):
            await GuardRunner().check(check_sql, f"SELECT {'- ' * 5_900}a", 0)
        assert threading.stack_size() == 1024 * 1024
    finally:
        threading.stack_size(usual)
