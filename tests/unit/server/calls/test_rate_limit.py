"""A token bucket a client, in a bounded map."""

import pytest

from mcphub_server.calls.rate_limit import CPU_SHARE, RateLimiter


def test_a_burst_passes_and_the_next_call_waits() -> None:
    limiter = RateLimiter(per_second=2, burst=3)

    waits = [limiter.take("a", 0.0) for _ in range(4)]

    assert waits == [0, 0, 0, pytest.approx(0.5)]


def test_after_the_told_wait_the_call_passes() -> None:
    limiter = RateLimiter(per_second=2, burst=1)
    limiter.take("a", 0.0)
    wait = limiter.take("a", 0.0)

    assert limiter.take("a", wait) == 0


def test_what_a_call_cost_delays_the_next() -> None:
    limiter = RateLimiter(per_second=100, burst=2)
    limiter.take("a", 0.0)
    limiter.charge("a", CPU_SHARE * 0.1, 0.0)

    assert limiter.take("a", 0.0) == pytest.approx(0.1)
    assert limiter.take("a", 0.1) == 0
    assert limiter.take("b", 0.0) == 0


def test_clients_do_not_pay_for_one_another() -> None:
    limiter = RateLimiter(per_second=1, burst=1)
    limiter.take("a", 0.0)

    assert limiter.take("b", 0.0) == 0


def test_rest_does_not_save_up_more_than_a_burst() -> None:
    limiter = RateLimiter(per_second=10, burst=2)
    limiter.take("a", 0.0)

    passed = [limiter.take("a", 1000.0) == 0 for _ in range(3)]

    assert passed == [True, True, False]


def test_the_longest_unused_client_is_forgotten() -> None:
    limiter = RateLimiter(per_second=1, burst=1, max_clients=2)

    for client in ("a", "b", "a", "c"):
        limiter.take(client, 0.0)

    assert len(limiter) == 2
    assert limiter.take("a", 0.0) > 0
