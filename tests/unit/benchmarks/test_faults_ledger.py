"""Every call is counted once, and an outage ends when the last client is well."""

import pytest

from benchmarks.faults.ledger import (
    Call,
    Ledger,
    Outcome,
    Recovery,
    RecoveryKind,
    find_percentile,
    measure_outage,
    summarise,
)

RIGHT, ERROR, LOST = Outcome.RIGHT, Outcome.ERROR, Outcome.LOST


def call(started, outcome=RIGHT, member=0, kind="Python /mcp", took=0.5, **more):
    return Call(kind, member, started, started + took, took, outcome, **more)


@pytest.mark.parametrize(
    ("calls", "seconds"),
    [
        pytest.param([call(0), call(1)], 0, id="nothing failed"),
        pytest.param([call(0), call(1, ERROR), call(3)], 2, id="until a right answer"),
        pytest.param(
            [call(1, ERROR), call(2), call(4, LOST), call(9)],
            8,
            id="over answers in between",
        ),
        pytest.param(
            [call(1, ERROR), call(2), call(1.2, ERROR, 1), call(5, member=1)],
            4,
            id="until the slowest client",
        ),
        pytest.param([call(1, LOST, took=30)], 30, id="never well again"),
    ],
)
def test_an_outage_lasts_from_the_first_failure_until_all_are_well(calls, seconds):
    assert measure_outage(calls) == pytest.approx(seconds)


@pytest.mark.parametrize(
    ("percent", "value"), [(50, 50), (99, 99), (100, 100), (0.1, 1)]
)
def test_a_percentile_is_a_value_that_occurred(percent, value):
    assert find_percentile(range(1, 101), percent) == value


def test_of_no_calls_the_percentile_is_nothing():
    assert find_percentile([], 99) == 0


def test_each_kind_has_its_own_line_and_its_calls_add_up():
    calls = [
        call(0, kind="Python /sse"),
        call(1, ERROR, kind="Python /sse", orphaned=True),
        call(2, LOST, kind="Python /sse"),
        call(3),
    ]
    recoveries = [Recovery("Python /sse", 2, RecoveryKind.REOPENED)]

    mcp, sse = summarise(Ledger(calls, recoveries))

    assert (mcp.kind, mcp.calls, mcp.right) == ("Python /mcp", 1, 1)
    assert (sse.calls, sse.right, sse.errors, sse.lost) == (3, 1, 1, 1)
    assert (sse.orphaned, sse.reopened, mcp.reopened) == (1, 1, 0)


def test_a_part_of_the_time_holds_what_ended_in_it():
    ledger = Ledger(
        [call(0), call(1), call(2)], [Recovery("x", 5, RecoveryKind.RESUMED)]
    )

    part = ledger.between(1, 2.5)

    assert [each.started for each in part.calls] == [1]
    assert part.recoveries == []
