"""How far a Deployment is: the numbers behind Ready, Reconciling and upgrades."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from mcphub_operator.status.condition_model import find_condition

DEADLINE_EXCEEDED = "ProgressDeadlineExceeded"
REPLICA_SET_REFUSED = "ReplicaSetCreateError"


@dataclass(frozen=True, slots=True)
class Progress:
    """The state of a rollout."""

    desired: int
    total: int = 0
    ready: int = 0
    updated: int = 0
    """Pods of the newest template, ready or not."""
    complete: bool = False
    stuck: bool = False
    """Kubernetes itself has given up waiting for it."""
    refused: str = ""
    """Why the API server refuses pods, in its words."""
    paused: bool = False
    miscounted: str = ""
    """By which words the numbers are the pods' own and not the Deployment's."""
    finished_before: bool = False
    """The present pods were all there once: what is missing was lost since."""


def read_progress(deployment: Mapping[str, Any], desired: int | None) -> Progress:
    """Read a Deployment; `desired` overrides its own number of replicas."""
    spec, status = deployment.get("spec", {}), deployment.get("status", {})
    wanted = spec.get("replicas", 1) if desired is None else desired
    conditions = status.get("conditions") or ()
    progressing = find_condition(conditions, "Progressing") or {}
    generation = deployment["metadata"].get("generation", 0)
    current = status.get("observedGeneration", 0) >= generation
    total, ready = status.get("replicas", 0), status.get("readyReplicas", 0)
    updated = status.get("updatedReplicas", 0)
    return Progress(
        desired=wanted,
        total=total,
        ready=ready,
        updated=updated,
        complete=current and total == ready == updated == wanted,
        stuck=current and progressing.get("reason") == DEADLINE_EXCEEDED,
        refused=_find_refusal(conditions),
        paused=bool(spec.get("paused")),
        finished_before=current
        and progressing.get("reason") == "NewReplicaSetAvailable",
    )


def _find_refusal(conditions: Any) -> str:
    """Return why pods are refused, or the ReplicaSet that would create them."""
    failure = find_condition(conditions, "ReplicaFailure") or {}
    if failure.get("status") == "True":
        return str(failure.get("message") or "")
    progressing = find_condition(conditions, "Progressing") or {}
    refused = progressing.get("reason") == REPLICA_SET_REFUSED
    return str(progressing.get("message") or "") if refused else ""
