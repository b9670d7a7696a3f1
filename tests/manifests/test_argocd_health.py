"""Argo CD shows a hub as its user would judge it.

The script runs in Lua 5.1, which is what Argo CD speaks.
"""

from typing import Any

import pytest
from lupa.lua51 import LuaRuntime, lua_type

from tools.project import ROOT

SCRIPT = ROOT / "config" / "argocd" / "health.lua"


def condition(kind: str, status: str, reason: str = "", message: str = "") -> dict:
    return {"type": kind, "status": status, "reason": reason, "message": message}


def hub(*conditions: dict, observed: int = 2) -> dict[str, Any]:
    return {
        "metadata": {"generation": 2},
        "status": {"observedGeneration": observed, "conditions": list(conditions)},
    }


READY = condition("Ready", "True", "Available", "2 of 2 replicas serve")
STARTING = condition("Ready", "False", "Progressing", "1 of 2 replicas serve")
ZERO = condition("Ready", "False", "ScaledToZero", "0 replicas are wanted")
NO_SECRET = condition("SecretsResolved", "False", "SecretMissing", "no Secret login")


def judge(body: dict[str, Any]) -> tuple[str, str]:
    runtime = LuaRuntime()
    runtime.globals().obj = runtime.table_from(body, recursive=True)
    answer = runtime.execute(SCRIPT.read_text())
    assert lua_type(answer) == "table"
    return answer["status"], answer["message"]


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        pytest.param(
            {"metadata": {"generation": 1}},
            ("Progressing", "The operator has not seen the hub yet"),
            id="a new hub",
        ),
        pytest.param(
            hub(READY, observed=1),
            ("Progressing", "The operator has not seen the last change yet"),
            id="a change that the operator has not seen",
        ),
        pytest.param(
            hub(READY), ("Healthy", "2 of 2 replicas serve"), id="a ready hub"
        ),
        pytest.param(
            hub(STARTING, condition("Reconciling", "True")),
            ("Progressing", "1 of 2 replicas serve"),
            id="a hub on its way",
        ),
        pytest.param(
            hub(READY, condition("Reconciling", "True")),
            ("Progressing", "2 of 2 replicas serve"),
            id="a rollout",
        ),
        pytest.param(
            hub(STARTING),
            ("Degraded", "1 of 2 replicas serve"),
            id="a hub that is not ready and not on its way",
        ),
        pytest.param(
            hub(READY, condition("BackendsReachable", "False", "", "orders is down")),
            ("Healthy", "orders is down"),
            id="a backend down",
        ),
        pytest.param(
            hub(STARTING, NO_SECRET, condition("Reconciling", "True")),
            ("Degraded", "no Secret login"),
            id="a missing secret",
        ),
        pytest.param(
            hub(
                READY, condition("Stalled", "True", "Conflict", "Service x is foreign")
            ),
            ("Degraded", "Service x is foreign"),
            id="a conflict",
        ),
        pytest.param(
            hub(ZERO), ("Suspended", "0 replicas are wanted"), id="scaled to zero"
        ),
        pytest.param(
            hub(READY, condition("Paused", "True")),
            ("Suspended", "spec.paused is true: the operator changes nothing"),
            id="paused",
        ),
    ],
)
def test_a_hub_is_judged(body: dict[str, Any], expected: tuple[str, str]) -> None:
    assert judge(body) == expected
