"""A burst of writes is allowed, and then one in a while; each object for itself."""

from mcphub_operator.observed import HubKey
from mcphub_operator.reconcile.budget import (
    BURST,
    RECOVERED,
    REFILL_SECONDS,
    Contest,
    WriteBudget,
)
from mcphub_operator.resources.manifest import ChildId

HUB = HubKey("team", "data")
CHILD = ChildId("Service", "data")


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def spend(budget: WriteBudget) -> int:
    taken = 0
    while budget.take(HUB, CHILD):
        taken += 1
    return taken


def test_a_burst_is_allowed_and_what_is_held_back_is_counted():
    held: list[str] = []

    assert spend(WriteBudget(Clock(), held.append)) == BURST
    assert held == ["Service"]


def test_after_a_burst_one_write_in_a_while_is_allowed():
    clock = Clock()
    budget = WriteBudget(clock, lambda _kind: None)
    spend(budget)

    clock.now += 3 * REFILL_SECONDS

    assert spend(budget) == 3


def test_another_object_has_a_budget_of_its_own():
    budget = WriteBudget(Clock(), lambda _kind: None)
    spend(budget)

    assert budget.take(HUB, ChildId("Deployment", "data"))
    assert budget.take(HubKey("team", "other"), CHILD)


def test_a_hub_that_is_gone_is_forgotten():
    budget = WriteBudget(Clock(), lambda _kind: None)
    spend(budget)

    budget.forget(HUB)

    assert spend(budget) == BURST


class TestAContest:
    """It is told without a break, though a write is left now and then."""

    def test_lasts_until_the_budget_has_recovered(self):
        clock = Clock()
        budget = WriteBudget(clock, lambda _kind: None)
        spend(budget)
        contest = Contest("spec.selector", "rival")
        budget.note_contest(HUB, CHILD, contest)

        for _ in range(100):
            clock.now += REFILL_SECONDS
            assert budget.take(HUB, CHILD)
            assert budget.find_contests(HUB) == {CHILD: contest}

        clock.now += RECOVERED * REFILL_SECONDS
        assert budget.find_contests(HUB) == {}

    def test_is_of_the_field_that_was_known_first(self):
        budget = WriteBudget(Clock(), lambda _kind: None)
        spend(budget)

        for field in ("", "spec.ports", "spec.selector", ""):
            budget.note_contest(HUB, CHILD, Contest(field))

        assert budget.find_contests(HUB) == {CHILD: Contest("spec.ports")}

    def test_is_not_of_a_hub_without_one(self):
        budget = WriteBudget(Clock(), lambda _kind: None)
        spend(budget)

        assert budget.find_contests(HUB) == {}
        assert budget.find_contests(HubKey("team", "other")) == {}


def test_a_write_that_was_not_made_is_given_back():
    """Refused writes are no contest, however many events bring a try."""
    budget = WriteBudget(Clock(), lambda _kind: None)

    for _ in range(2 * BURST):
        assert budget.take(HUB, CHILD)
        budget.give_back(HUB, CHILD)

    assert spend(budget) == BURST
