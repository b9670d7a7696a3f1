"""How long a failing hub waits."""

from mcphub_operator.observed import HubKey
from mcphub_operator.reconcile.backoff import LONGEST_SECONDS, Backoff

A, B = HubKey("ns", "a"), HubKey("ns", "b")


def delays(backoff: Backoff, count: int, generation: int = 1) -> list[float]:
    return [backoff.next_delay(A, generation) for _ in range(count)]


def test_each_failure_doubles_the_delay_up_to_a_minute():
    found = delays(Backoff(lambda: 1.0), 9)

    assert found[:4] == [0.5, 1.0, 2.0, 4.0]
    assert found[-1] == LONGEST_SECONDS


def test_a_change_of_the_hub_starts_over():
    backoff = Backoff(lambda: 1.0)
    delays(backoff, 5)

    assert backoff.next_delay(A, generation=2) == 0.5


def test_a_success_starts_over():
    backoff = Backoff(lambda: 1.0)
    delays(backoff, 5)

    backoff.forget(A)

    assert backoff.next_delay(A, 1) == 0.5


def test_one_hubs_failures_do_not_slow_another():
    backoff = Backoff(lambda: 1.0)
    delays(backoff, 5)

    assert backoff.next_delay(B, 1) == 0.5


def test_chance_takes_at_most_half_away():
    assert delays(Backoff(lambda: 0.0), 1) == [0.25]
