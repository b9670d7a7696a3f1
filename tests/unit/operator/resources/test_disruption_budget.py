"""Which hubs have a PodDisruptionBudget (D17)."""

from typing import Any

import pytest

from mcphub_operator.resources.disruption_budget import find_budget
from tests.support.observed import hub

ONE_AT_A_TIME, HALF, NOTHING = 1, "50%", None


@pytest.mark.parametrize(
    ("spec", "expected"),
    [
        pytest.param({}, NOTHING, id="one replica has none"),
        pytest.param({"replicas": 0}, NOTHING, id="a hub at zero has none"),
        pytest.param({"replicas": 2}, ONE_AT_A_TIME, id="two replicas have one"),
        pytest.param(
            {"autoscaling": {}}, ONE_AT_A_TIME, id="a minimum of two by default has one"
        ),
        pytest.param(
            {"replicas": 5, "autoscaling": {"minReplicas": 1}},
            NOTHING,
            id="a minimum of one has none, whatever spec.replicas says",
        ),
        pytest.param(
            {"disruptionBudget": {}},
            ONE_AT_A_TIME,
            id="one replica has one that is asked for",
        ),
        pytest.param(
            {"replicas": 2, "disruptionBudget": {"maxUnavailable": HALF}},
            HALF,
            id="what is asked for wins over the default",
        ),
        pytest.param(
            {"replicas": 2, "disruptionBudget": None}, NOTHING, id="null turns it off"
        ),
        pytest.param(
            {"replicas": 2, "disruptionBudget": {"enabled": False}},
            NOTHING,
            id="enabled: false turns it off",
        ),
    ],
)
def test_d17_a_hub_of_several_replicas_has_a_budget(
    spec: dict[str, Any], expected: int | str | None
):
    budget = find_budget(hub(**spec))

    assert (budget.max_unavailable if budget else None) == expected
