"""Tests with generated inputs pass or fail alike on any machine."""

from hypothesis import HealthCheck, settings


def test_no_time_decides_about_them() -> None:
    default = settings()

    assert default.deadline is None
    assert HealthCheck.too_slow in default.suppress_health_check


def test_each_run_has_the_same() -> None:
    assert settings().derandomize


def test_settings_of_a_test_keep_the_rest() -> None:
    assert settings(max_examples=7).deadline is None
