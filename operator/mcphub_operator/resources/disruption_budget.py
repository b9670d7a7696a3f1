"""The PodDisruptionBudget, while `spec.disruptionBudget` is set."""

from mcphub_operator import names
from mcphub_operator.resources.manifest import Manifest, build_manifest
from mcphub_operator.spec.hub import Hub
from mcphub_operator.spec.scaling import DisruptionBudget


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
