"""Each thing that may stand in a hub's way, and what is said about it."""

from typing import Any

import pytest

from mcphub_operator.checks import evaluate
from mcphub_operator.observed import MissingKey, Observed, UserSecrets
from mcphub_operator.resources.manifest import ChildId
from mcphub_operator.status.condition_model import Reason
from tests.support.observed import hub, observe, settle, with_deployment


def missing(*keys: MissingKey) -> Observed:
    return observe(user_secrets=UserSecrets(missing=keys))


def with_an_ending_deployment() -> Observed:
    def end(item: dict[str, Any]) -> None:
        item["metadata"] |= {
            "deletionTimestamp": "2026-11-21T08:00:00Z",
            "finalizers": ["example.com/backup"],
        }

    return with_deployment(settle(observe()), end)


@pytest.mark.parametrize(
    ("observed", "reason", "words"),
    [
        pytest.param(
            missing(MissingKey("creds")),
            Reason.SECRET_MISSING,
            ["Secret creds", "does not exist"],
            id="a missing Secret is named",
        ),
        pytest.param(
            missing(MissingKey("creds", "password")),
            Reason.SECRET_MISSING,
            ["Secret creds", "no key password"],
            id="a missing key is named with its Secret",
        ),
        pytest.param(
            missing(MissingKey("team-data-auth", "password")),
            Reason.SECRET_MISSING,
            ["Secret team-data-auth", "the operator makes", "another Secret"],
            id="one that the operator makes is not for a database's password",
        ),
        pytest.param(
            observe(foreign=(ChildId("Service", "team-data"),)),
            Reason.CONFLICT,
            ["Service team-data", "mcp.bigtorig.com/adopt=team-data"],
            id="a foreign object is named with the way to give it away",
        ),
        pytest.param(
            observe(foreign_autoscalers=("theirs",)),
            Reason.CONFLICT,
            ["HorizontalPodAutoscaler theirs", "spec.autoscaling"],
            id="a foreign autoscaler is named",
        ),
        pytest.param(
            observe(hub(autoscaling={}), hub_autoscalers=("theirs",)),
            Reason.CONFLICT,
            ["HorizontalPodAutoscaler theirs", "spec.autoscaling"],
            id="D36 an autoscaler of the hub beside spec.autoscaling is named",
        ),
        pytest.param(
            observe(hub_autoscalers=("one", "other")),
            Reason.CONFLICT,
            ["one, other", "delete all but one"],
            id="D36 two autoscalers of the hub are named",
        ),
        pytest.param(
            with_an_ending_deployment(),
            Reason.WRITE_FAILED,
            ["Deployment team-data is being deleted", "example.com/backup"],
            id="the finalizers of a child that is being deleted are named",
        ),
        pytest.param(
            observe(stale=(ChildId("Service", "team-data"),)),
            Reason.WRITE_FAILED,
            ["waiting", "Service team-data"],
            id="what a deleted namesake left is waited for",
        ),
    ],
)
def test_a_problem_says_what_to_do(observed, reason, words):
    (finding,) = evaluate(observed)

    assert finding.reason is reason
    assert all(word in finding.message for word in words)


def test_d36_an_autoscaler_of_the_hub_alone_is_no_problem():
    assert evaluate(observe(hub_autoscalers=("theirs",))) == ()


def test_a_hub_with_nothing_in_its_way_has_no_problem():
    assert evaluate(observe()) == ()


def test_the_first_problem_is_the_one_that_must_be_mended_first():
    observed = observe(
        foreign=(ChildId("Service", "team-data"),),
        user_secrets=UserSecrets(missing=(MissingKey("creds"),)),
    )

    reasons = [finding.reason for finding in evaluate(observed)]

    assert reasons == [Reason.CONFLICT, Reason.SECRET_MISSING]
