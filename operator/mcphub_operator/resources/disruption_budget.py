"""The PodDisruptionBudget: a hub's own, or the default of several replicas."""

from mcphub_operator import names
from mcphub_operator.resources.manifest import Manifest, build_manifest
from mcphub_operator.spec.hub import Hub
from mcphub_operator.spec.scaling import DisruptionBudget

DEFAULT_FROM = 2
"""Replicas from which a hub has a budget by default."""


def find_budget(hub: Hub) -> DisruptionBudget | None:
    """Return the budget of a hub: what its spec says, else the default, if it has one.

    A field that is null was set, and turns the budget off.
    """
    spec = hub.spec
    budget = spec.disruption_budget
    if budget is not None:
        return budget if budget.enabled else None
    is_null = "disruption_budget" in spec.model_fields_set
    return None if is_null or _find_least(hub) < DEFAULT_FROM else DisruptionBudget()


def _find_least(hub: Hub) -> int:
    """Return the number of replicas that a hub has at least."""
    autoscaling = hub.spec.autoscaling
    return autoscaling.min_replicas if autoscaling else hub.spec.replicas


def build_disruption_budget(
    hub: Hub, budget: DisruptionBudget, version: str
) -> Manifest:
    """Return the budget; a pod that is not ready anyway never blocks a drain."""
    manifest = build_manifest(
        "policy/v1", "PodDisruptionBudget", hub, hub.name, version
    )
    spec = {
        "maxUnavailable": budget.max_unavailable,
        "selector": {"matchLabels": names.selector_labels(hub.name)},
        "unhealthyPodEvictionPolicy": "AlwaysAllow",
    }
    return {**manifest, "spec": spec}
