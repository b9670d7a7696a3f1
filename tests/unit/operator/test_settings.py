"""Flags over environment over defaults, and a sentence for what is wrong."""

import pytest

from mcphub_operator.errors import InvalidSettings
from mcphub_operator.settings import PodAccess, parse_settings


def test_a_flag_comes_before_the_environment():
    settings = parse_settings(["--workers", "3"], {"MCPHUB_WORKERS": "5"})

    assert settings.workers == 3


def test_the_environment_comes_before_the_default():
    settings = parse_settings([], {"MCPHUB_POD_ACCESS": "proxy"})

    assert settings.pod_access is PodAccess.PROXY


def test_an_empty_variable_is_no_variable():
    assert parse_settings([], {"MCPHUB_WORKERS": ""}).workers == 16


@pytest.mark.parametrize("text", ["a,b", "a, b", "a,b,"])
def test_namespaces_are_separated_by_commas(text: str):
    assert parse_settings(["--namespaces", text], {}).namespaces == ("a", "b")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("MCPHUB_WORKERS", "many"),
        ("MCPHUB_WORKERS", "0"),
        ("MCPHUB_LOG_LEVEL", "loud"),
        ("MCPHUB_HTTP_PORT", "99999"),
        ("MCPHUB_LEADER_ELECTION", "perhaps"),
        ("MCPHUB_IMAGE_PULL_SECRETS", "registry,A Secret"),
    ],
)
def test_a_bad_value_is_refused_by_the_variables_name(name: str, value: str):
    with pytest.raises(InvalidSettings, match=name):
        parse_settings([], {name: value})
