"""For every state of docs/operations.md the walk ends at its cause."""

import re

import pytest

from mcphub_cli.doctor import examine_status
from mcphub_cli.hubs import parse_hub
from tools.project import DOCS

PAGE = (DOCS / "operations.md").read_text()
STATES = [
    word
    for word in re.findall(r"^\| `(\w+)` \|", PAGE, re.MULTILINE)
    if word != "Available"
]
ELSEWHERE = {"SecretMissing": "SecretsResolved", "TokensRefused": "SecretsResolved"}
ELSEWHERE |= {"KeysMissing": "KeysAvailable"}
ELSEWHERE |= {
    state: "CertificateValid" for state in STATES if state.startswith("Certificate")
}
"""States that a condition of their own tells beside Ready."""

CONDITIONS = {
    "Ready": ("True", "Available", "2 of 2 replicas ready"),
    "Stalled": ("False", "NotStalled", ""),
    "SecretsResolved": ("True", "Resolved", "every Secret and key is there"),
    "BackendsReachable": ("True", "AllConnected", "all backends are connected"),
    "ToolsValid": ("True", "NoTools", "no tool is declared"),
}


def hub(*, generation=3, backends=(), without=(), **conditions):
    found = {**CONDITIONS, **conditions}
    status = {
        "observedGeneration": 3,
        "backends": list(backends),
        "summary": {"replicas": "2/2"},
        "conditions": [
            {"type": kind, "status": status, "reason": reason, "message": message}
            for kind, (status, reason, message) in found.items()
            if kind not in without
        ],
    }
    head = {"namespace": "ai", "name": "team", "generation": generation}
    return parse_hub({"metadata": head, "spec": {}, "status": status})


def diagnose(given):
    *before, last = examine_status(given)
    assert all(check.is_well for check in before)
    return last


def test_a_hub_that_is_well_passes_every_check():
    checks = list(examine_status(hub()))

    assert [check.name for check in checks] == [
        "operator",
        "secrets",
        "signing keys",
        "certificate",
        "replicas",
        "databases",
        "declared tools",
    ]
    assert all(check.is_well for check in checks)


@pytest.mark.parametrize("serves", ["True", "False"])
@pytest.mark.parametrize("state", STATES)
def test_every_state_of_the_page_is_named_with_the_status_own_words(state, serves):
    said = {"Ready": (serves, state, f"why {state}")}
    if state in ELSEWHERE:
        said[ELSEWHERE[state]] = ("False", state, f"why {state}")
    if state == "BackendsDown":
        said |= {"Ready": ("True", state, f"why {state}")}
        down = {"name": "orders", "state": "Unreachable", "message": f"why {state}"}
        said["backends"] = [down]

    found = diagnose(hub(**said))

    assert found.reason == state
    assert f"why {state}" in found.message


def test_the_whole_of_a_stall_is_told_not_its_first_part():
    found = diagnose(
        hub(Ready=("True", "Conflict", "one"), Stalled=("True", "Conflict", "one; two"))
    )

    assert found.message == "one; two"


def test_a_database_that_is_down_is_named_with_its_reason():
    message = "nothing listens at its host and port"
    entries = [
        {"name": "shop", "state": "Connected"},
        {
            "name": "orders",
            "state": "Unreachable",
            "reason": "ConnectionRefused",
            "message": message,
        },
    ]

    found = diagnose(
        hub(BackendsReachable=("False", "SomeUnreachable", "x"), backends=entries)
    )

    assert found.message == f"orders is Unreachable (ConnectionRefused): {message}"


def test_an_invalid_tool_is_the_last_that_a_status_can_tell():
    found = diagnose(hub(ToolsValid=("False", "SomeInvalid", "orders: no such table")))

    assert found.message == "orders: no such table"


@pytest.mark.parametrize(
    ("status", "reason", "expected"),
    [
        pytest.param("True", "Exported", "", id="they arrive"),
        pytest.param("Unknown", "NotReported", "", id="there was no call yet"),
        pytest.param("False", "ExportFailing", "ExportFailing", id="they get lost"),
    ],
)
def test_traces_are_looked_at_where_a_hub_sends_them(status, reason, expected):
    found = diagnose(hub(TracesExported=(status, reason, "why")))

    assert (found.name, found.reason, found.message) == ("traces", expected, "why")


def test_a_status_about_an_older_spec_is_not_believed():
    found = diagnose(hub(generation=4))

    assert found.reason == "StatusOutdated"
    assert "generation 3" in found.message


def test_without_a_status_the_operator_is_missing():
    head = {"namespace": "ai", "name": "team", "generation": 1}

    found = diagnose(parse_hub({"metadata": head, "spec": {}}))

    assert found.reason == "NoStatus"
    assert "namespace ai" in found.message


def test_an_operator_without_a_condition_is_older_than_this_program():
    found = diagnose(hub(without=("ToolsValid",)))

    assert found.reason == "OperatorOutdated"
