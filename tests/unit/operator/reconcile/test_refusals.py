"""A refused write is tried later and later, and a changed spec at once."""

from collections.abc import Iterator

import pytest

from mcphub_operator.diff import Apply, Repair
from mcphub_operator.observed import HubKey
from mcphub_operator.reconcile.refusals import (
    FIRST_SECONDS,
    LONGEST_SECONDS,
    RefusedWrites,
)
from mcphub_operator.resources.manifest import ChildId
from mcphub_operator.status.condition_model import Reason
from mcphub_operator.status.findings import Finding

HUB = HubKey("team", "data")
SERVICE = ChildId("Service", "data"), Apply
DENIED = Finding(Reason.WRITE_DENIED, "Service data: denied by a policy")


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def refused(clock: Clock) -> RefusedWrites:
    return RefusedWrites(clock, lambda: 1.0)


def try_again_and_again(refused: RefusedWrites, clock: Clock) -> Iterator[float]:
    """Be refused each time that a try is due; yield how long each wait is."""
    while True:
        refused.start_pass(HUB, 1)
        assert refused.find(HUB, SERVICE) is None
        refused.note(HUB, SERVICE, DENIED)
        wait = refused.find_seconds(HUB)
        assert wait is not None
        yield wait
        clock.now += wait


def test_waits_grow_and_are_bounded(refused: RefusedWrites, clock: Clock):
    tries = try_again_and_again(refused, clock)

    waits = [next(tries) for _ in range(9)]

    assert waits[:3] == [FIRST_SECONDS, 2 * FIRST_SECONDS, 4 * FIRST_SECONDS]
    assert waits == sorted(waits)
    assert waits[-1] == LONGEST_SECONDS


def test_a_pass_meanwhile_tells_it_and_does_not_try(
    refused: RefusedWrites, clock: Clock
):
    refused.note(HUB, SERVICE, DENIED)

    clock.now += FIRST_SECONDS - 1
    refused.start_pass(HUB, 0)

    assert refused.find(HUB, SERVICE) == DENIED
    assert refused.find_seconds(HUB) == 1


def test_what_one_pass_was_refused_is_due_at_one_time(clock: Clock):
    refused = RefusedWrites(clock, iter((0.1, 0.9, 0.5)).__next__)
    refused.start_pass(HUB, 1)
    refused.note(HUB, SERVICE, DENIED)
    clock.now += 0.3
    refused.note(HUB, (ChildId("Secret", "data"), Apply), DENIED)

    clock.now += refused.find_seconds(HUB) or 0

    assert refused.find(HUB, SERVICE) is None
    assert refused.find(HUB, (ChildId("Secret", "data"), Apply)) is None


def test_another_generation_is_tried_at_once(refused: RefusedWrites):
    refused.start_pass(HUB, 1)
    refused.note(HUB, SERVICE, DENIED)

    refused.start_pass(HUB, 2)

    assert refused.find(HUB, SERVICE) is None


def test_another_sort_of_write_is_tried(refused: RefusedWrites):
    refused.note(HUB, SERVICE, DENIED)

    assert refused.find(HUB, (SERVICE[0], Repair)) is None


def test_what_is_not_asked_for_any_more_is_never_due(
    refused: RefusedWrites, clock: Clock
):
    refused.note(HUB, SERVICE, DENIED)
    clock.now += LONGEST_SECONDS

    refused.start_pass(HUB, 0)

    assert refused.find_seconds(HUB) is None


@pytest.mark.parametrize(
    "end",
    [
        pytest.param(None, id="written"),
        pytest.param(Finding(Reason.WRITE_FAILED, "no answer"), id="not answered"),
    ],
)
def test_what_ended_otherwise_is_no_refusal(refused: RefusedWrites, end):
    refused.note(HUB, SERVICE, DENIED)
    refused.note(HUB, SERVICE, end)

    assert refused.find(HUB, SERVICE) is None
    assert refused.find_seconds(HUB) is None


def test_a_hub_that_is_gone_is_forgotten(refused: RefusedWrites):
    refused.note(HUB, SERVICE, DENIED)

    refused.forget(HUB)

    assert refused.find(HUB, SERVICE) is None
