"""What kubectl offers after `kubectl mcphub`; hubs need a cluster."""

import pytest

from mcphub_cli.commands import app
from mcphub_cli.completion import COMMANDS, complete


def test_every_command_is_offered():
    assert {each.callback.__name__ for each in app.registered_commands} == set(COMMANDS)


@pytest.mark.parametrize(
    ("words", "offered"),
    [
        ([""], list(COMMANDS)),
        (["con"], ["connect"]),
        (["-n", "ai", "do"], ["doctor"]),
        (["call", "team", ""], []),
        (["status", "--out"], []),
    ],
)
def test_commands_are_completed(words, offered):
    assert complete(words) == offered


def test_without_kubectl_no_hub_is_offered(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("PATH", "")

    assert complete(["status", ""]) == []
