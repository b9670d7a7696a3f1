"""A burst of writes is allowed, and then one in a while; each object for itself."""

from mcphub_operator.observed import HubKey
from mcphub_operator.reconcile.budget import BURST, REFILL_SECONDS, WriteBudget
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
