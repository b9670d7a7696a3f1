"""The HorizontalPodAutoscaler, while `spec.autoscaling` is set."""

from typing import Any

from mcphub_operator.resources.manifest import Manifest, build_manifest, drop_empty
from mcphub_operator.spec.hub import Hub
from mcphub_operator.spec.scaling import Autoscaling


def build_autoscaler(hub: Hub, autoscaling: Autoscaling, version: str) -> Manifest:
    """Return the autoscaler of the hub's Deployment."""
    manifest = build_manifest(
        "autoscaling/v2", "HorizontalPodAutoscaler", hub, hub.name, version
    )
    target = {"apiVersion": "apps/v1", "kind": "Deployment", "name": hub.name}
    spec = drop_empty(
        {
            "scaleTargetRef": target,
            "minReplicas": autoscaling.min_replicas,
            "maxReplicas": autoscaling.max_replicas,
            "metrics": _metrics(autoscaling),
            "behavior": dict(autoscaling.behavior),
        }
    )
    return {**manifest, "spec": spec}


def _metrics(autoscaling: Autoscaling) -> list[dict[str, Any]]:
    targets = {
        "cpu": autoscaling.target_cpu_utilization_percentage,
        "memory": autoscaling.target_memory_utilization_percentage,
    }
    return [
        {
            "type": "Resource",
            "resource": {
                "name": name,
                "target": {"type": "Utilization", "averageUtilization": percentage},
            },
        }
        for name, percentage in targets.items()
        if percentage is not None
    ]
