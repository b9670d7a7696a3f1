"""A report about a failed test is short, and has no secret in it."""

import pytest

from tests.support.failure_report import last_lines, redact, trim


def test_secrets_are_replaced_the_longest_first():
    text = "token abcdefgh-long and abcdefgh"

    assert redact(text, {"abcdefgh", "abcdefgh-long"}) == (
        "token [redacted] and [redacted]"
    )


def test_values_too_short_to_be_secrets_stay():
    assert redact("2 of 2 replicas", {"2"}) == "2 of 2 replicas"


@pytest.mark.parametrize(
    ("count", "shown"),
    [
        pytest.param(2, "(1 earlier lines)\nb\nc", id="too many"),
        pytest.param(3, "a\nb\nc", id="all"),
    ],
)
def test_the_last_lines_say_how_many_are_left_out(count, shown):
    assert last_lines(["a", "b", "c"], count) == shown


def test_long_lines_are_cut():
    assert len(trim("x" * 10_000)) == 400
