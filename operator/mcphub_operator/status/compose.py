"""The whole status of a hub: read what was, build what is, say what differs.

Equal input gives an equal status, byte by byte, so that a hub at rest is not written.
"""

from collections import Counter
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from mcphub_operator import names
from mcphub_operator.observed import Observed
from mcphub_operator.resources.manifest import ChildId
from mcphub_operator.spec.status_schema import BackendState, ConditionStatus
from mcphub_operator.status.backends import build_backends, find_reports
from mcphub_operator.status.condition_model import (
    Condition,
    ConditionType,
    Reason,
    merge_conditions,
)
from mcphub_operator.status.conditions import StatusInput, build_conditions
from mcphub_operator.status.controllers import correct_progress
from mcphub_operator.status.endpoints import build_endpoints
from mcphub_operator.status.findings import Findings
from mcphub_operator.status.rollout import Progress, read_progress
from mcphub_operator.status.tools import ToolsView, build_tools

Status = dict[str, Any]


def build_status(observed: Observed, findings: Findings) -> Status:
    """Return the status of a hub whose spec can be read."""
    hub = observed.hub
    progress = find_progress(observed)
    backends = build_backends(observed)
    tools = build_tools(observed)
    given = StatusInput(observed, findings, progress, backends, tools)
    conditions = build_conditions(given)
    status: Status = {
        "observedGeneration": hub.generation,
        "replicas": progress.total,
        "readyReplicas": progress.ready,
        "selector": names.selector_text(hub.name),
        "summary": _summary(observed, progress, backends, tools),
        "backends": backends,
        "tools": list(tools.tools),
        **({"prompts": list(tools.prompts)} if tools.prompts else {}),
        "conditions": merge_conditions(
            conditions,
            observed.status.get("conditions") or (),
            hub.generation,
            observed.now,
        ),
    }
    version = _server_version(observed)
    if version:
        status["serverVersion"] = version
    endpoints = build_endpoints(observed) if _is_ready(conditions) else None
    if endpoints:
        status["endpoints"] = endpoints
    return status


def build_invalid_status(
    previous: Mapping[str, Any], generation: int, problem: str, now: datetime
) -> Status:
    """Return the status of a hub whose spec cannot be read; the rest stays."""
    message = f"{problem}; correct it with kubectl edit or apply"
    current = (
        Condition(
            ConditionType.READY, ConditionStatus.FALSE, Reason.INVALID_SPEC, message
        ),
        Condition(ConditionType.RECONCILING, ConditionStatus.FALSE, Reason.SETTLED),
        Condition(
            ConditionType.STALLED, ConditionStatus.TRUE, Reason.INVALID_SPEC, message
        ),
    )
    before = previous.get("conditions") or ()
    made = merge_conditions(current, before, generation, now)
    replaced = {condition["type"] for condition in made}
    rest = [dict(c) for c in before if c.get("type") not in replaced]
    kept = {k: v for k, v in previous.items() if k != "endpoints"}
    return {**kept, "observedGeneration": generation, "conditions": [*made, *rest]}


def find_progress(observed: Observed) -> Progress:
    """Return how far the hub's Deployment is; without one, at the beginning."""
    hub = observed.hub
    scaling = hub.spec.autoscaling
    deployment = observed.children.get(ChildId("Deployment", hub.name))
    if deployment is None:
        return Progress(scaling.min_replicas if scaling else hub.spec.replicas)
    wanted = None if scaling else hub.spec.replicas
    return correct_progress(observed, read_progress(deployment.read(), wanted))


def _summary(
    observed: Observed,
    progress: Progress,
    backends: list[dict[str, Any]],
    tools: ToolsView,
) -> dict[str, str]:
    scaling = observed.hub.spec.autoscaling
    connected = sum(b["state"] == BackendState.CONNECTED for b in backends)
    bounds = f"{scaling.min_replicas}-{scaling.max_replicas}" if scaling else ""
    return {
        "replicas": f"{progress.ready}/{progress.desired}",
        "backends": f"{connected}/{len(backends)}",
        "tools": f"{tools.ready}/{tools.declared}" if tools.declared else "",
        "image": observed.hub.spec.image or observed.platform.server_image,
        "autoscaling": bounds,
    }


def _server_version(observed: Observed) -> str:
    reports = find_reports(observed) or ()
    versions = Counter(r.version for r in reports if r.version)
    if not versions:
        return str(observed.status.get("serverVersion") or "")
    return max(versions, key=lambda version: (versions[version], version))


def _is_ready(conditions: tuple[Condition, ...]) -> bool:
    return any(
        c.type is ConditionType.READY and c.status is ConditionStatus.TRUE
        for c in conditions
    )
