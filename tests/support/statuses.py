"""Observations of a hub that is this far, and the status that they give."""

from dataclasses import replace
from typing import Any

from mcphub_operator.checks import evaluate
from mcphub_operator.observed import (
    BackendReport,
    Observed,
    Pod,
    PodReport,
)
from mcphub_operator.resources.manifest import ChildId
from mcphub_operator.status.compose import build_status
from mcphub_operator.status.condition_model import find_condition
from mcphub_operator.status.findings import Findings
from tests.support.observed import (
    settle,
    with_deployment,
)


def rolled(
    observed: Observed,
    *,
    ready: int,
    total: int | None = None,
    updated: int | None = None,
    reason: str = "",
) -> Observed:
    """The Deployment is this far."""
    count = ready if total is None else total

    def report(item: dict[str, Any]) -> None:
        item["metadata"]["generation"] = 1
        item["spec"].setdefault("replicas", count)
        item["status"] = {
            "observedGeneration": 1,
            "replicas": count,
            "readyReplicas": ready,
            "updatedReplicas": count if updated is None else updated,
            "conditions": [{"type": "Progressing", "reason": reason}],
        }

    return with_deployment(settle(observed), report)


def without_service(observed: Observed) -> Observed:
    """The client Service's name is taken."""
    service = ChildId("Service", "team-data")
    own = {c: live for c, live in observed.children.items() if c != service}
    return replace(observed, children=own, foreign=(service,))


def pods(*reports: PodReport | None) -> dict[str, Any]:
    """Ready pods that said this (None: not asked yet)."""
    running = [Pod(f"p{i}", f"p{i}", ready=True) for i in range(len(reports))]
    said = {f"p{i}": r for i, r in enumerate(reports) if r is not None}
    return {"pods": tuple(running), "reports": said}


def says(state: str, reason: str = "", message: str = "") -> PodReport:
    report = BackendReport("postgres", state, reason, message)
    return PodReport(answered=True, version="0.1.0", backends=(report,))


def status_of(observed: Observed, findings: Findings | None = None) -> dict[str, Any]:
    return build_status(observed, findings or Findings(evaluate(observed)))


def condition(status: dict[str, Any], kind: str) -> tuple[str, str]:
    found = find_condition(status["conditions"], kind) or {}
    return found["status"], found["reason"]
