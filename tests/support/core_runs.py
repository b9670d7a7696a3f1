"""The operator's whole core over one hub, as a pass runs it, without a pass."""

from dataclasses import replace
from typing import Any

from mcphub_operator.checks import evaluate
from mcphub_operator.desired import build_desired
from mcphub_operator.diff import build_plan
from mcphub_operator.errors import InvalidHub
from mcphub_operator.observed import MissingKey, Observed, UserSecrets
from mcphub_operator.resources.manifest import ChildId
from mcphub_operator.spec.hub import parse_hub
from mcphub_operator.status.compose import build_invalid_status, build_status
from mcphub_operator.status.findings import Findings
from mcphub_operator.status.transitions import find_transitions
from tests.support.observed import NOW, body, observe, settle


def decide(observed: Observed) -> None:
    """Run the whole core over what was observed, as a pass does."""
    findings = Findings(items=evaluate(observed))
    build_plan(observed, build_desired(observed))
    status = build_status(observed, findings)
    find_transitions(observed.status, status)


def run_core(spec: Any, **parts: Any) -> None:
    """Run the core over a hub in every state, if the parser takes it."""
    try:
        hub = parse_hub(body() | {"spec": spec})
    except InvalidHub as refusal:
        build_invalid_status(parts.get("status", {}), 1, str(refusal), NOW)
        return
    fresh = observe(hub, **parts)
    decide(fresh)
    settled = settle(fresh)
    decide(settled)
    missing = UserSecrets(missing=(MissingKey("s"), MissingKey("s", "k")))
    decide(replace(settled, user_secrets=missing))
    decide(replace(fresh, foreign=(ChildId("Service", hub.name),)))
