"""What a status says of authentication, as the replicas report it."""

from dataclasses import replace

import pytest

from mcphub_operator.observed import AuthReport, PodReport
from mcphub_operator.status.condition_model import find_condition
from tests.support.observed import hub, observe
from tests.support.statuses import condition, pods, rolled, status_of

JWT = {
    "type": "JWT",
    "jwt": {
        "issuer": "https://id.example.com",
        "audience": "hub",
        "jwksURI": "https://id.example.com/keys",
    },
}
KEYS_MISSING = AuthReport("KeysMissing", "no signing key was fetched")
REFUSED = AuthReport("TokensRefused", "the token of n8n is empty")


def says_auth(report: AuthReport | None) -> PodReport:
    return PodReport(answered=True, version="0.1.0", auth=report)


def observed(*reports: AuthReport | None, **spec):
    reported = pods(*(says_auth(report) for report in reports))
    return replace(rolled(observe(hub(**spec)), ready=len(reports)), **reported)


@pytest.mark.parametrize(
    ("reports", "expected"),
    [
        pytest.param([AuthReport()], ("True", "KeysFetched"), id="all is well"),
        pytest.param([KEYS_MISSING], ("False", "KeysMissing"), id="no keys"),
        pytest.param(
            [AuthReport(), KEYS_MISSING], ("False", "KeysMissing"), id="on one replica"
        ),
        pytest.param([None], ("Unknown", "NotReported"), id="an older server"),
        pytest.param([], ("Unknown", "NotReported"), id="no replica"),
    ],
)
def test_signing_keys_have_a_condition(reports, expected):
    status = status_of(observed(*reports, auth=JWT))

    assert condition(status, "KeysAvailable") == expected


def test_missing_keys_are_the_status_of_a_hub_that_serves():
    status = status_of(observed(AuthReport(), KEYS_MISSING, auth=JWT, replicas=2))

    ready = find_condition(status["conditions"], "Ready")
    assert (ready["status"], ready["reason"]) == ("True", "KeysMissing")
    assert ready["message"] == "no signing key was fetched (on 1 of 2 replicas)"


def test_refused_tokens_are_named_by_client():
    status = status_of(observed(REFUSED))

    resolved = find_condition(status["conditions"], "SecretsResolved")
    assert (resolved["status"], resolved["reason"]) == ("False", "TokensRefused")
    assert resolved["message"] == "the token of n8n is empty (on 1 of 1 replicas)"
    assert condition(status, "Ready") == ("True", "TokensRefused")


def test_a_hub_without_keys_has_no_condition_of_keys():
    status = status_of(observed(AuthReport()))

    assert find_condition(status["conditions"], "KeysAvailable") is None
    assert condition(status, "SecretsResolved") == ("True", "Resolved")


@pytest.mark.parametrize(
    ("report", "spec"),
    [
        pytest.param(KEYS_MISSING, {"auth": JWT}, id="no keys"),
        pytest.param(AuthReport(), {"auth": JWT}, id="keys"),
        pytest.param(REFUSED, {}, id="refused tokens"),
    ],
)
def test_an_operator_that_starts_rewrites_nothing(report, spec):
    before = observed(report, **spec)
    status = status_of(before)

    restarted = replace(before, status=status, reports={})

    assert status_of(restarted)["conditions"] == status["conditions"]


def test_a_word_that_this_operator_does_not_know_is_no_fault():
    status = status_of(observed(AuthReport("Newer", "something else"), auth=JWT))

    assert condition(status, "KeysAvailable") == ("True", "KeysFetched")
