"""D24: one of two installations keeps a hub, and the other writes nothing."""

from collections.abc import Iterator

import pytest

from mcphub_operator.observed import HubKey
from mcphub_operator.reconcile.installations import (
    LEAVE_SECONDS,
    TRY_SECONDS,
    Installations,
    Verdict,
)

HUB, SECOND = HubKey("team", "data"), HubKey("team", "second")
A, B = "system-a/operator", "system-b/operator"


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


class World:
    """A hub's name on its ConfigMap, and two installations that write it."""

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.name = ""
        self.writes = 0

    def run(self, one: Installations) -> Verdict:
        """Run a pass of one of them."""
        verdict = one.judge(HUB, self.name).verdict
        if verdict in (Verdict.KEEP, Verdict.TRY) and self.name != one.own:
            self.name = one.own
            self.writes += 1
        if verdict is Verdict.KEEP:
            one.keep(HUB)
        return verdict


def pairs(clock: Clock) -> tuple[World, Installations, Installations]:
    return World(clock), Installations(A, clock), Installations(B, clock)


def test_a_hub_without_a_name_is_kept(clock: Clock):
    world, first, _ = pairs(clock)

    assert world.run(first) is Verdict.KEEP
    assert world.run(first) is Verdict.KEEP
    assert world.writes == 1


@pytest.mark.parametrize("names", [(A, B), (B, A)])
def test_the_second_leaves_a_hub_to_one_that_puts_its_name_back(clock: Clock, names):
    world = World(clock)
    first, second = (Installations(name, clock) for name in names)
    world.run(first)

    assert world.run(second) is Verdict.TRY
    assert world.run(first) is Verdict.KEEP
    assert world.run(second) is Verdict.FOUND
    assert [world.run(one) for one in (first, second) * 5] == [
        *(Verdict.KEEP, Verdict.LEAVE) * 5
    ]
    assert world.writes == 3
    assert (first.count_left, second.count_left) == (0, 1)


def test_a_hub_of_one_that_is_gone_is_taken_over(clock: Clock):
    world, first, second = pairs(clock)
    world.run(first)

    assert world.run(second) is Verdict.TRY
    assert world.run(second) is Verdict.WAIT
    clock.now += TRY_SECONDS
    assert world.run(second) is Verdict.KEEP


def test_one_that_left_tries_again_later(clock: Clock):
    world, first, second = pairs(clock)
    world.run(first)
    for one in (second, first, second):
        world.run(one)

    clock.now += LEAVE_SECONDS

    assert world.run(second) is Verdict.TRY
    clock.now += TRY_SECONDS
    assert world.run(second) is Verdict.KEEP
    assert second.count_left == 0


def test_one_that_comes_back_finds_the_other(clock: Clock):
    world, first, second = pairs(clock)
    world.run(first)
    world.run(second)
    clock.now += TRY_SECONDS
    world.run(second)
    again = Installations(A, clock)

    assert world.run(again) is Verdict.TRY
    assert world.run(second) is Verdict.KEEP
    assert world.run(again) is Verdict.FOUND


def alternate(world: World, *pair: Installations) -> Iterator[Verdict]:
    while True:
        for one in pair:
            yield world.run(one)


def test_of_two_that_both_began_one_leaves(clock: Clock):
    world, first, second = pairs(clock)
    first.keep(HUB)
    second.keep(HUB)
    turns = alternate(world, first, second)

    while next(turns) is not Verdict.FOUND:
        assert world.writes < 10

    assert world.name == A
    assert second.count_left == 1


def test_a_new_hub_is_left_for_a_moment_to_one_that_lives(clock: Clock):
    world, first, second = pairs(clock)
    world.run(first)
    for one in (second, first, second):
        world.run(one)

    claim = second.judge(SECOND, "")

    assert claim.verdict is Verdict.WAIT
    clock.now += claim.again_seconds
    assert second.judge(SECOND, "").verdict is Verdict.KEEP


def test_without_a_name_of_its_own_an_installation_keeps_everything(clock: Clock):
    assert Installations("", clock).judge(HUB, B).verdict is Verdict.KEEP


def test_a_name_that_a_user_wrote_is_one_turn_however_often_it_is_seen(clock: Clock):
    """A write that fails is tried again, and the name is still there."""
    second = Installations(B, clock)
    second.keep(HUB)

    verdicts = {second.judge(HUB, A).verdict for _ in range(9)}

    assert verdicts == {Verdict.KEEP}
