"""NEXT 8: the cause stands in STATUS and MESSAGE: controllers of Kubernetes.

The API server has no controllers here: a test plays what they write.
"""

from typing import Any

import pytest

from mcphub_operator.client.kinds import AUTOSCALER, DEPLOYMENT, SERVICE
from tests.support.played_pods import wait_told
from tests.support.running_operator import World, open_world, running_operator
from tests.support.waiting import wait_until
from tools.cluster.apiserver import ApiServer


async def play_deployment(world: World, replicas: int) -> None:
    """Report a Deployment as rolled out."""
    item = await world.get(DEPLOYMENT, "team-data")
    counts = ("replicas", "readyReplicas", "updatedReplicas", "availableReplicas")
    status = {
        "observedGeneration": item["metadata"]["generation"],
        **dict.fromkeys(counts, replicas),
    }
    await world.patch(DEPLOYMENT, "team-data", {"status": status}, "/status")


async def play_autoscaler(world: World, kind: str, status: str, reason: str) -> None:
    """Report one condition of the hub's autoscaler."""
    told = {"type": kind, "status": status, "reason": reason, "message": "so it is"}
    change = {"status": {"desiredReplicas": 2, "conditions": [told]}}
    await world.patch(AUTOSCALER, "team-data", change, "/status")


async def wait_for_children(world: World) -> None:
    async def are_there() -> bool:
        children = (DEPLOYMENT, AUTOSCALER, SERVICE)
        found = [await world.find(kind, "team-data") for kind in children]
        return all(found)

    await wait_until(are_there)


async def test_controllers_that_do_nothing_or_cannot_scale_are_told(
    idle_server: ApiServer, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("mcphub_operator.status.controllers.SILENT_SECONDS", 1.0)
    spec: dict[str, Any] = {"autoscaling": {"minReplicas": 2, "maxReplicas": 3}}
    kubeconfig = str(idle_server.kubeconfig)
    async with open_world(kubeconfig, "hubs") as world, running_operator(world):
        await world.apply_hub(**spec)
        await wait_told(world, "ControllerUnavailable", "Deployment team-data")

        await wait_for_children(world)
        await play_deployment(world, 2)
        await wait_told(
            world, "ControllerUnavailable", "HorizontalPodAutoscaler team-data"
        )

        await play_autoscaler(world, "AbleToScale", "False", "FailedGetScale")
        await wait_told(world, "AutoscalerFailed", "so it is")

        await play_autoscaler(world, "ScalingActive", "False", "InvalidSelector")
        await world.wait_condition("Ready", "True", "AutoscalerFailed")

        metric = "FailedGetContainerResourceMetric"
        await play_autoscaler(world, "ScalingActive", "False", metric)
        await wait_told(world, "MetricsUnavailable", metric)

        await play_autoscaler(world, "ScalingLimited", "True", "TooManyReplicas")
        await wait_told(world, "Available", "maxReplicas")

        await play_autoscaler(world, "ScalingActive", "True", "ValidMetricFound")
        await wait_told(world, "Available", "2 of 2 replicas ready")
